"""The same send where a commit takes 2 ms, and how many connections win the rate back."""
from rig import peers, table, tools
from rig.letter import Letter, fitted
from rig.measure import alternate, as_rows, median, ratio, turn
from rig.sink import Sink

CONNECTIONS = (8, 16, 32, 64)


def run(bench):
    mails = bench.pick(2_000, 10_000)
    sentences, mail = fitted(bench)
    shim = tools.compile_c("peers/slow_commit.c", bench.scratch / "slow_commit.so", "-shared", "-fPIC", "-ldl")
    print(f"{mails:,} mails of {len(mail):,} bytes, {bench.pairs} turns; fsync and fdatasync take 2 ms each in the slow rows")
    with Sink() as sink:
        def bare():
            return turn(sink, lambda: peers.bare(sink.port, mails, len(mail)))

        def one(letter):
            def take():
                with letter:
                    return turn(sink, lambda: letter.send(sentences))
            return take

        contestants = {"smtp-source, 8 connections": bare}
        for connections, env in [(8, {})] + [(c, {"LD_PRELOAD": str(shim)}) for c in CONNECTIONS]:
            what = "2 ms a commit" if env else "this disk's commits"
            letter = Letter(bench, f"commit{connections}{len(env)}", sink.port, connections, env=env)
            letter.people(mails)
            contestants[f"Letterpress, {connections} connections, {what}"] = one(letter)
        runs = alternate(bench, contestants)
    base = next(iter(runs.values()))
    table.show(["sender", "mails/s", "of smtp-source", "mails a CPU s", "others"], [
        [name, f"{median(turns, lambda r: r.rate):,.0f}", f"{ratio(turns, base):.2f}",
         f"{median(turns, lambda r: r.per_cpu_second):,.0f}", f"{median(turns, lambda r: r.others):.0%}"]
        for name, turns in runs.items()])
    enough = [name for name, turns in runs.items() if "2 ms" in name and ratio(turns, base) >= 0.9]
    print(f"won back (0.90 of smtp-source) by: {enough[0] if enough else 'none of these'}")
    bench.keep("commit", as_rows(runs))
