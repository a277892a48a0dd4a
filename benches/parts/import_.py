"""Importing a million people with subscription, consent and tags, against sqlite3's .import of the same file."""
import itertools
import random
import shutil

from rig import machine, table, tools
from rig.letter import Letter
from rig.measure import Run, alternate, as_rows, median, ratio

COLUMNS = "email,name,tags"
# The same unique index that Letterpress keeps, in the same mode of the journal.
TABLE = f"""PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE subscriber (email TEXT NOT NULL UNIQUE COLLATE NOCASE, name TEXT, tags TEXT);
"""


def run(bench):
    tools.need("sqlite3", package="sqlite3")
    rows = bench.pick(100_000, 1_000_000)
    file = bench.scratch / "people.csv"
    write_people(file, rows)
    print(f"{rows:,} rows of {COLUMNS}, {file.stat().st_size / 1e6:.0f} MB, in no order; {bench.pairs} turns")
    numbers = itertools.count()
    letters = []

    def first():
        for former in letters:
            shutil.rmtree(former.dir)
        letters[:] = [Letter(bench, f"import{next(numbers)}", port=9)]
        return second()

    def second():
        return as_run(rows, letters[0]("subscribers", "import", file, "--list", "weekly", "--yes"))

    def bare():
        path = bench.scratch / f"bare{next(numbers)}.db"
        machine.run(["sqlite3", path, TABLE])
        done = machine.run(["sqlite3", path, ".mode csv", f".import --skip 1 {file} subscriber"])
        for part in path.parent.glob(path.name + "*"):
            part.unlink()
        return as_run(rows, done)

    runs = alternate(bench, {"sqlite3 .import": bare, "Letterpress, first run": first, "Letterpress, second run": second})
    show(rows, runs)
    bench.keep("import", as_rows(runs))


def as_run(rows, done):
    """A command as a turn; a row stands in a mail's place, and others on the machine are not counted."""
    return Run(rows / done.seconds, done.cpu.user / rows * 1e6, done.cpu.system / rows * 1e6, 0, 0, 0, {"peak_rss": done.peak})


def write_people(path, rows):
    """People as an export has them: in the order of joining, which says nothing about their addresses."""
    chance = random.Random(22)
    first = "ada bo chen dora emil fay gita hugo ines jan kim lena mei nils olga pia quin rosa sven tara".split()
    numbers = list(range(rows))
    chance.shuffle(numbers)
    with path.open("w", encoding="utf-8") as file:
        file.write(COLUMNS + "\n")
        for n in numbers:
            name = first[n % 20]
            file.write(f'{name}.{n}@post{n % 997}.example,{name.title()} Nr {n},"{"press,read" if n % 3 else "press"}"\n')


def show(rows, runs):
    bare, first, second = runs.values()
    table.show(["import", "seconds", "rows/s", "of .import's time", "CPU s", "peak MiB"], [
        [name, f"{rows / median(turns, lambda r: r.rate):.1f}", f"{median(turns, lambda r: r.rate):,.0f}",
         f"{ratio(bare, turns):.2f}", f"{median(turns, lambda r: r.sender) * rows / 1e6:.1f}",
         f"{median(turns, lambda r: r.more['peak_rss']) / 2**20:.0f}"]
        for name, turns in runs.items()])
    slower = ratio(bare, first)
    table.goal("time by that of .import, at most 1.3", slower, f"{slower:.2f}", most=1.3)
    peak = max(run.more["peak_rss"] for run in first + second) / 2**20
    table.goal("peak memory, under 80 MiB", peak, f"{peak:.0f} MiB", most=80)
    again = ratio(first, second)
    table.goal("a second run's time by the first's, at most 1", again, f"{again:.2f}", most=1.0)
