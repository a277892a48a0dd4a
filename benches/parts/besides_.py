"""What visitors cost the sender: a send alone, and one beside readers of pictures, silent and slow clients, and sign-ups."""
import contextlib
import json
import os
import re
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
import zlib

from rig import machine, table
from rig.cli import ROOT
from rig.letter import Letter, source
from rig.sink import Sink, one_mail, until

READERS, DAWDLERS, SILENT, SIGN_UPS_PER_S = 40, 1_100, 3_000, 20
PICTURE_BYTES = 2_000_000
KEEPS, P99_S, PEAK_MIB = 0.7, 0.5, 150
SENTENCES = 20


def run(bench):
    seconds = bench.pick(8, 15)
    with Sink() as sink:
        letter = Letter(bench, "besides", sink.port)
        way_out, picture = addresses(bench, letter)
        letter.settings(sink.port)
        trust_ourselves(letter)
        letter.people(bench.pick(150_000, 300_000))
        issue = letter.issue(SENTENCES)
        with letter:
            letter("send", issue, "--yes", "--force")
            until(lambda: sent(letter) > 500, 60, "the first mails")
            machine.forget_peak(letter.daemon.pid)
            alone = measured(letter, way_out, seconds)
            with crowd(letter, picture) as visitors:
                besides = measured(letter, way_out, seconds)
                visitors.stdin.close()
                did = json.loads(visitors.stdout.readline())
            peak = machine.peak_rss(letter.daemon.pid) / 2**20
            bench.say("the crowd has gone")
            again = measured(letter, way_out, seconds)
            letter("cancel", "002", "--yes")
    show(bench, {"alone": alone, "besides": besides, "alone again": again}, peak, did)


def trust_ourselves(letter):
    """Lets sign-ups come from as many networks as they say: a single one may sign up twenty times a minute."""
    path = letter.dir / "letterpress.toml"
    path.write_text(path.read_text().replace("[web]", '[web]\ntrusted_proxies = ["127.0.0.2/32"]'))


def addresses(bench, letter):
    """The one-click address of a reader and the path of the picture, out of a mail."""
    (letter.dir / "issues" / "noise.png").write_bytes(noise(PICTURE_BYTES))
    issue = letter.issue(SENTENCES)
    issue.write_text(source(SENTENCES) + "\n![Noise](noise.png)\n", encoding="utf-8")

    def send(port):
        letter.settings(port)
        trust_ourselves(letter)
        letter.people(1)
        with letter:
            letter("send", issue, "--yes", "--wait", "--force", within=60)
    mail = one_mail(bench.scratch / "besides-mail", send)
    header = mail.replace(b"\r\n ", b"").decode("utf-8", "replace")
    way_out = re.search(r"^List-Unsubscribe:.*?<(http[^>]*)>", header, re.MULTILINE | re.IGNORECASE)[1]
    whole = mail.replace(b"=\r\n", b"").decode("utf-8", "replace")
    return urllib.parse.urlsplit(way_out).path, re.search(r"/media/[0-9a-f]{32}\.png", whole)[0]


def noise(size):
    """A PNG of about that many bytes, as wide as a mail needs it, which nothing can make smaller."""
    width = 1200
    height = size // (width * 3)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + os.urandom(width * 3) for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")


def sent(letter):
    """How many mails have gone out of the newest issue, as the program tells it."""
    return json.loads(letter("deliveries", "--json").stdout.splitlines()[-1])["sent"]


def measured(letter, way_out, seconds):
    """The sender's rate over that time, and the seconds that /healthz and a one-click POST took meanwhile."""
    body = b"List-Unsubscribe=One-Click"
    one_click = (f"POST {way_out} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                 f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body
    asks = {"/healthz": b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "one-click": one_click}
    took = {name: [] for name in asks}
    cpu, began, first = machine.cpu_of(letter.daemon.pid).total, time.monotonic(), sent(letter)
    while time.monotonic() - began < seconds:
        for name, request in asks.items():
            at = time.monotonic()
            took[name].append(time.monotonic() - at if answered(letter.web, request) else 60.0)
            time.sleep(0.03)
    elapsed = time.monotonic() - began
    return {"rate": (sent(letter) - first) / elapsed, "took": took,
            "cpu": (machine.cpu_of(letter.daemon.pid).total - cpu) / elapsed}


def answered(port, request):
    """Whether a request is answered with 200 within ten seconds."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as stream:
            stream.sendall(request)
            answer = b""
            while more := stream.recv(65536):
                answer += more
        return answer.startswith(b"HTTP/1.1 200")
    except OSError:
        return False


@contextlib.contextmanager
def crowd(letter, picture):
    """Everybody who visits, in a process of their own at a lower priority: on real machines they are elsewhere."""
    style = re.search(r"/style-[0-9a-f]+\.css", page(letter))[0]
    what = [letter.web, picture, style, READERS, DAWDLERS, SILENT, SIGN_UPS_PER_S]
    command = ["nice", "-n", "5", sys.executable, "-m", "rig.crowd", *map(str, what)]
    process = subprocess.Popen(command, cwd=ROOT / "benches", text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    too_long = threading.Timer(90, process.kill)
    too_long.start()
    try:
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("the crowd did not come together within 90 s")
        yield process
    finally:
        too_long.cancel()
        process.kill()
        process.wait()


def page(letter):
    with urllib.request.urlopen(f"http://127.0.0.1:{letter.web}/subscribe", timeout=10) as answer:
        return answer.read().decode()


def percentile(seconds, share):
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def show(bench, turns, peak, did):
    def ms(seconds):
        return f"{seconds * 1e3:.1f}"
    rows = []
    for name, turn in turns.items():
        figures = [f"{turn['rate']:,.0f}", f"{turn['cpu']:.2f}"]
        for took in turn["took"].values():
            figures += [len(took), ms(statistics.median(took)), ms(percentile(took, 0.99))]
        rows.append([name, *figures])
    table.show(["send", "mails/s", "cores used", "healthz", "p50 ms", "p99 ms", "one-click", "p50 ms", "p99 ms"], rows)
    print(f"the crowd: {did['pictures']:,} pictures read by {READERS} readers, {did['sign_ups']:,} sign-ups taken and "
          f"{did['refused']:,} not, {DAWDLERS:,} clients that read nothing, {SILENT:,} that said nothing")
    base = (turns["alone"]["rate"] + turns["alone again"]["rate"]) / 2
    keeps = turns["besides"]["rate"] / base
    table.goal(f"of its rate alone the sender keeps at least {KEEPS:.0%}", keeps, f"{keeps:.0%}", least=KEEPS)
    for name, took in turns["besides"]["took"].items():
        p99 = percentile(took, 0.99)
        table.goal(f"{name} beside a crowd, p99 under {P99_S} s", p99, f"{p99 * 1e3:.0f} ms", most=P99_S)
    table.goal(f"peak memory, under {PEAK_MIB} MiB", peak, f"{peak:.0f} MiB", most=PEAK_MIB)
    bench.keep("besides", {"turns": turns, "peak_mib": peak, "crowd": did})
