"""Runs and their comparison: contestants take turns, and ratios are medians over the turns."""
import statistics
import time
from typing import NamedTuple

from rig import machine


class Sent(NamedTuple):
    """What a sender tells of itself: mails accepted, in how many seconds from first to last, and its CPU."""
    mails: int
    seconds: float
    cpu: machine.Cpu
    more: dict = {}


class Run(NamedTuple):
    """One turn of one contestant. CPU is in microseconds a mail; `others` and `idle` are shares of the machine."""
    rate: float
    user: float
    system: float
    sink: float
    others: float
    idle: float
    more: dict

    @property
    def sender(self):
        return self.user + self.system

    @property
    def per_cpu_second(self):
        return 1e6 / self.sender


def turn(sink, send):
    """Lets a contestant send once, and looks at what that cost whom."""
    began, sink_before, busy_before = time.monotonic(), sink.cpu(), machine.busy()
    sent = send()
    took = time.monotonic() - began
    sink_used, busy = sink.cpu() - sink_before, machine.busy() - busy_before
    all_cores = took * machine.CORES
    return Run(
        rate=sent.mails / sent.seconds,
        user=sent.cpu.user / sent.mails * 1e6,
        system=sent.cpu.system / sent.mails * 1e6,
        sink=sink_used / sent.mails * 1e6,
        others=max(0.0, busy - sink_used - sent.cpu.total) / all_cores,
        idle=max(0.0, 1 - busy / all_cores),
        more=sent.more)


def alternate(bench, contestants, pairs=None):
    """A B A B …: each of `{name: turn}` in turn; gives `{name: [Run, …]}`."""
    runs = {name: [] for name in contestants}
    pairs = pairs or bench.pairs
    for pair in range(pairs):
        for name, take_turn in contestants.items():
            run = take_turn()
            runs[name].append(run)
            bench.say(f"{pair + 1}/{pairs} {name}: {run.rate:,.0f} a second, {run.sender:.0f} µs CPU each"
                      f", others {run.others:.0%} of the machine")
    return runs


def median(runs, value):
    return statistics.median(value(run) for run in runs)


def ratio(runs, base, value=lambda run: run.rate):
    """The median over the turns of one contestant's value by that of another in the same turn."""
    return statistics.median(value(a) / value(b) for a, b in zip(runs, base, strict=True))


def spread(runs, base):
    """The lowest and highest of what `ratio` is the median of."""
    ratios = [a.rate / b.rate for a, b in zip(runs, base, strict=True)]
    return min(ratios), max(ratios)


def as_rows(runs):
    """For keeping: every turn of every contestant."""
    return [{"name": name, **run._asdict()} for name, turns in runs.items() for run in turns]
