"""Sending over 20 ms of round trip: plain, pipelined, and with content, dot and next envelope in one write."""
from rig import proxy, table
from rig.letter import Letter, fitted
from rig.measure import alternate, as_rows, median, ratio, turn
from rig.sink import Sink

ONE_WRITE = 'pipelining = "ahead"'


def run(bench):
    mails = bench.pick(400, 1_500)
    sentences, mail = fitted(bench)
    print(f"{mails:,} mails of {len(mail):,} bytes, 8 connections, {bench.pairs} turns; "
          "each byte waits 10 ms on its way there and each reply on its way back")
    with Sink() as sink, Sink("-p") as plain, proxy.Delay(sink.port) as far, proxy.Delay(plain.port) as far_plain:
        def one(name, through, to, relay=""):
            letter = Letter(bench, name, through.port, 8, relay)
            letter.people(mails)

            def take():
                with letter:
                    return turn(to, lambda: letter.send(sentences))
            return take

        contestants = {
            "no PIPELINING offered": one("plain", far_plain, plain),
            "pipelined": one("pipelined", far, sink),
            "one write": one("one-write", far, sink, ONE_WRITE),
        }
        runs = alternate(bench, contestants)
    base = runs["no PIPELINING offered"]
    table.show(["Letterpress, 20 ms", "mails/s", "of plain", "others"], [
        [name, f"{median(turns, lambda r: r.rate):,.0f}", f"{ratio(turns, base):.2f}", f"{median(turns, lambda r: r.others):.0%}"]
        for name, turns in runs.items()])
    for name, least in (("pipelined", 1.9), ("one write", 3.5)):
        won = ratio(runs[name], base)
        table.goal(f"{name}, at least {least} of plain", won, f"{won:.2f}", least=least)
    bench.keep("rtt", as_rows(runs))
