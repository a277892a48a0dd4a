"""From a thousand to a million recipients: what a mail costs, what the daemon holds, what the database takes."""
import shutil

from rig import plot, table
from rig.cli import ROOT
from rig.letter import Letter, fitted
from rig.measure import as_rows, median, turn
from rig.sink import Sink


def run(bench):
    sizes = [1_000, 10_000, 100_000] + bench.pick([], [1_000_000])
    sentences, mail = fitted(bench)
    print(f"mails of {len(mail):,} bytes, 8 connections; small audiences are sent to several times, 100,000 and more once")
    runs = {size: one_size(bench, size, sentences) for size in sizes}
    rows = [[f"{size:,}", *(f"{value(turns):,.{digits}f}" for value, digits, _ in COLUMNS.values()),
             f"{median(turns, lambda r: r.others):.0%}"] for size, turns in runs.items()]
    table.show(["recipients", *COLUMNS, "others"], rows)
    costs = [median(turns, lambda r: r.sender) for turns in runs.values()]
    flat = max(costs) / min(costs)
    table.goal("dearest CPU a mail by the cheapest, at most 1.2", flat, f"{flat:.2f}", most=1.2)
    peak = max(run.more["peak_rss"] for turns in runs.values() for run in turns) / 2**20
    table.goal("peak memory, under 150 MiB", peak, f"{peak:.0f} MiB", most=150)
    draw(bench, runs)
    bench.keep("scale", as_rows({f"{size} recipients": turns for size, turns in runs.items()}))


# What is shown of a size: how it comes from its turns, its digits, and its title in the plot.
COLUMNS = {
    "mails/s": (lambda turns: median(turns, lambda r: r.rate), 0, "mails a second"),
    "µs CPU a mail": (lambda turns: median(turns, lambda r: r.sender), 0, "µs of CPU a mail"),
    "s to the first": (lambda turns: median(turns, lambda r: r.more["to_first_s"]), 2, "s from due to the first"),
    "peak MiB": (lambda turns: max(r.more["peak_rss"] for r in turns) / 2**20, 0, "MiB held at most"),
    "bytes a person": (lambda turns: turns[0].more["person_bytes"], 0, "bytes of database a person"),
    "bytes a mail": (lambda turns: turns[0].more["mail_bytes"], 0, "bytes of ledger a mail"),
}


def one_size(bench, size, sentences):
    """Sends to an audience of one size, in a folder of its own that is deleted afterwards."""
    turns = []
    with Sink() as sink:
        letter = Letter(bench, f"scale{size}", sink.port)
        with letter:
            pass  # makes the database, so that its own size can be left out
        empty = letter.database_bytes()
        letter.people(size)
        people = letter.database_bytes() - empty
        times = max(1, min(5, 30_000 // size))
        with letter:
            for n in range(times):
                turns.append(turn(sink, lambda: letter.send(sentences)))
                bench.say(f"{size:,}: {turns[-1].rate:,.0f} mails/s, {turns[-1].sender:.0f} µs CPU a mail")
        ledger = letter.database_bytes() - empty - people
        shutil.rmtree(letter.dir)
    for each in turns:
        each.more.update(person_bytes=people / size, mail_bytes=ledger / size / times)
    return turns


def draw(bench, runs):
    """Writes the plot beside the results; the full form also into benches/."""
    panels = [(title, [value(turns) for turns in runs.values()]) for value, _, title in COLUMNS.values()]
    drawn = plot.panels("From a thousand recipients to a million", [f"{size:,}" for size in runs], panels)
    paths = [bench.results / "scale.svg"] + bench.pick([], [ROOT / "benches" / "scale.svg"])
    for path in paths:
        path.write_text(drawn, encoding="utf-8")
    print(f"drawn: {', '.join(str(path.relative_to(ROOT)) for path in paths)}")
