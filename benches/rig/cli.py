"""The command line: which parts, how long, and where results are kept."""
import argparse
import importlib
import json
import pathlib
import subprocess
import sys
import tempfile

from rig import machine, tools

PARTS = {
    "send": "mails a second and a CPU second, against smtp-source and peers",
    "commit": "the same where a commit takes 2 ms, by number of connections",
    "dkim": "with RSA-2048 and Ed25519 signatures, against the room they leave",
    "rtt": "over 20 ms of round trip: plain, pipelined, all in one write",
    "import": "a million people, against sqlite3's .import",
    "scale": "from a thousand to a million recipients",
    "meanwhile": "pages and commands while a million are written down and mailed",
    "besides": "a send beside readers of pictures, silent and slow clients, and sign-ups",
}
ROOT = pathlib.Path(__file__).resolve().parents[2]


class Bench:
    """What a part needs to know: how long to measure, which program, and where files may lie."""

    def __init__(self, options, scratch):
        self.quick = options.quick
        self.pairs = options.pairs or (3 if options.quick else 5)
        self.bin = options.bin
        self.scratch = scratch
        self.results = ROOT / "target" / "benches"
        self.results.mkdir(parents=True, exist_ok=True)

    def pick(self, quick, full):
        """A count for the quick form or the full one."""
        return quick if self.quick else full

    def keep(self, part, rows):
        """Stores what was measured, with the machine's facts, for later comparison."""
        path = self.results / f"{part}.json"
        path.write_text(json.dumps({"machine": machine.facts(self.bin), "quick": self.quick, "rows": rows}, indent=1) + "\n")

    def say(self, text):
        """Tells what is going on; results go to stdout, this does not."""
        print(f"  {text}", file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(
        prog="benches/run", description=__doc__.partition("\n")[0], formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="parts:\n" + "\n".join(f"  {name:<7} {about}" for name, about in PARTS.items()))
    parser.add_argument("parts", nargs="*", metavar="part", help="all of them where none is named")
    parser.add_argument("--quick", action="store_true", help="fewer mails and pairs: minutes instead of an hour")
    parser.add_argument("--pairs", type=int, help="how often the contestants alternate (5; with --quick 3)")
    parser.add_argument("--bin", type=pathlib.Path, help="the program (built by cargo where not given)")
    options = parser.parse_args()
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    try:
        tools.need("smtp-sink", "smtp-source", package="postfix")
        options.bin = options.bin.resolve() if options.bin else build()
        # Not below /tmp: that is often memory, where a commit costs nothing.
        (ROOT / "target").mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="benches-", dir=ROOT / "target") as scratch:
            pathlib.Path(scratch).chmod(0o755)  # smtp-sink and Postfix lay down their rights
            bench = Bench(options, pathlib.Path(scratch))
            print("\n".join(f"{name}: {fact}" for name, fact in machine.facts(options.bin).items()))
            for part in options.parts or PARTS:
                print(f"\n## {part}: {PARTS[part]}", flush=True)
                importlib.import_module(f"parts.{part}_").run(bench)
    except tools.Missing as missing:
        print(f"error  {missing}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as failed:
        print(f"error  `{' '.join(map(str, failed.cmd))}` ended with {failed.returncode}\n{failed.stderr or ''}", file=sys.stderr)
        return 2
    return 0


def build():
    """The release build of this very source."""
    subprocess.run(["cargo", "build", "--release", "--bin", "letterpress"], cwd=ROOT, check=True)
    return ROOT / "target" / "release" / "letterpress"
