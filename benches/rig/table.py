"""Tables as Markdown that is also read well on a terminal, and verdicts on goals."""


def show(heads, rows):
    """Prints a table; the first column is words, the others are numbers."""
    cells = [heads, *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]

    def line(row):
        first, *rest = (cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths)))
        return "| " + " | ".join([first, *rest]) + " |"

    print(line(cells[0]))
    print("|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|")
    for row in cells[1:]:
        print(line(row))
    print(flush=True)


def goal(what, value, text, least=None, most=None):
    """Says whether a goal was met."""
    met = (least is None or value >= least) and (most is None or value <= most)
    print(f"{'met   ' if met else 'missed'} {what}: {text}", flush=True)
