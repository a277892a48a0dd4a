"""With RSA-2048 and Ed25519 signatures on every mail, against the room that bare signatures leave, by connections."""
import json
import subprocess

from rig import machine, table
from rig.cli import ROOT
from rig.letter import Letter, fitted
from rig.measure import alternate, as_rows, median, turn
from rig.sink import Sink


CONNECTIONS = (8, 16, 32)


def run(bench):
    mails = bench.pick(3_000, 10_000)
    sentences, mail = fitted(bench)
    print(f"{mails:,} mails of {len(mail):,} bytes before signing, {bench.pairs} turns")
    with Sink() as sink:
        def one(name, connections=8, sign=True):
            letter = Letter(bench, name, sink.port, connections)
            letter.people(mails)
            if sign:
                letter("dkim", "new", "--domain", "letters.example")

            def take():
                with letter:
                    return turn(sink, lambda: letter.send(sentences))
            return take

        costs = []
        contestants = {"unsigned, 8 connections": one("unsigned", sign=False)} | {
            f"signed, {n} connections": one(f"signed{n}", n) for n in CONNECTIONS}
        runs = alternate(bench, contestants)
        for _ in range(bench.pairs):
            costs.append(bare_signatures())
    show(runs, {kind: sorted(cost[kind] for cost in costs)[len(costs) // 2] for kind in costs[0]})
    bench.keep("dkim", as_rows(runs) + costs)


def bare_signatures():
    """CPU microseconds of one RSA signature, one Ed25519 signature, and SHA-256 over 40,000 bytes."""
    done = subprocess.run(["cargo", "bench", "--quiet", "--bench", "signatures"], cwd=ROOT, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def show(runs, cost):
    unsigned, *others = runs.values()
    signed = max(others, key=lambda turns: median(turns, lambda r: r.rate))
    table.show(["Letterpress", "mails/s", "mails a CPU s", "µs a mail", "sink's µs a mail", "others", "idle"], [
        [name, f"{median(turns, lambda r: r.rate):,.0f}", f"{median(turns, lambda r: r.per_cpu_second):,.0f}",
         f"{median(turns, lambda r: r.sender):.0f}", f"{median(turns, lambda r: r.sink):.0f}",
         f"{median(turns, lambda r: r.others):.0%}", f"{median(turns, lambda r: r.idle):.0%}"]
        for name, turns in runs.items()])
    parts = {
        "sending, unsigned": median(unsigned, lambda r: r.sender),
        "smtp-sink": median(unsigned, lambda r: r.sink),
        "RSA-2048, bare": cost["rsa_us"],
        "Ed25519, bare": cost["ed25519_us"],
    }
    whole = sum(parts.values())
    free = machine.CORES * (1 - median(signed, lambda r: r.others))
    # The sink is one process: it can never take more than one core gives.
    room = min(free * 1e6 / whole, 1e6 / parts["smtp-sink"])
    print("CPU a mail: " + " + ".join(f"{us:.0f} ({name})" for name, us in parts.items()) + f" = {whole:.0f} µs")
    print(f"Room on {free:.2f} cores ({machine.CORES} less what others used): {room:,.0f} mails/s")
    rate = median(signed, lambda r: r.rate)
    table.goal("of that room at the best number of connections, at least 85 %", rate / room, f"{rate / room:.0%}", least=0.85)
    more = median(signed, lambda r: r.sender) - parts["sending, unsigned"] - cost["rsa_us"] - cost["ed25519_us"]
    print(f"Beyond bare signatures a signed mail costs {more:.0f} µs, of which SHA-256 over the body would be {cost['sha256_us']:.0f}")
