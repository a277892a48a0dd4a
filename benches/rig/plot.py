"""A plot as SVG: small panels of one ink line each, on paper, in light and dark."""
import html

WIDTH, HEIGHT = 960, 580
LEFT, TOP = 48, 150
PANEL_WIDTH, PANEL_HEIGHT, GAP_X, GAP_Y = 256, 130, 48, 96
COLUMNS = 3

STYLE = """
:root { --ground: #F3EEE4; --ink: #1F1B16; --ink2: #5A5145; --rule: #DBD2C2; --red: #B1361E }
@media (prefers-color-scheme: dark) {
  :root { --ground: #161412; --ink: #EDE6D9; --ink2: #B8AE9E; --rule: #3B352C; --red: #F0876A }
}
.ground { fill: var(--ground) } .mark { fill: var(--red) }
text { fill: var(--ink); font: 13px -apple-system, 'Segoe UI', Roboto, sans-serif; font-variant-numeric: tabular-nums lining-nums }
.title { font: bold 28px Georgia, serif } .head { font-weight: 600 } .axis { fill: var(--ink2) }
.end { text-anchor: end } .middle { text-anchor: middle }
.rule { stroke: var(--rule); stroke-width: 1 } .oxford { fill: var(--ink) }
.line { fill: none; stroke: var(--ink); stroke-width: 1.5 } .dot { fill: var(--ink) }
"""


def panels(title, ticks, series):
    """One panel for each (title, values); values stand evenly, as sizes that grow tenfold do."""
    body = [f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>', f'<rect class="mark" x="{LEFT}" y="44" width="12" height="12"/>',
            f'<text class="title" x="{LEFT + 24}" y="60">{html.escape(title)}</text>',
            f'<rect class="oxford" x="{LEFT}" y="84" width="{WIDTH - 2 * LEFT}" height="3"/>',
            f'<rect class="oxford" x="{LEFT}" y="89" width="{WIDTH - 2 * LEFT}" height="1"/>']
    for n, (head, values) in enumerate(series):
        x = LEFT + n % COLUMNS * (PANEL_WIDTH + GAP_X)
        y = TOP + n // COLUMNS * (PANEL_HEIGHT + GAP_Y)
        body.append(f'<g transform="translate({x} {y})">{panel(head, ticks, values)}</g>')
    said = "; ".join(f"{head}: {', '.join(map(figure, values))}" for head, values in series)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="title said">\n'
            f'<title id="title">{html.escape(title)}</title>\n<desc id="said">{html.escape(said)}</desc>\n'
            f"<style>{STYLE}</style>\n" + "\n".join(body) + "\n</svg>\n")


def panel(head, ticks, values):
    """A line from zero up, each of its points with its figure."""
    top = max(values) * 1.25 or 1
    points = [(PANEL_WIDTH * (i + 0.5) / len(values), PANEL_HEIGHT * (1 - value / top)) for i, value in enumerate(values)]
    parts = [f'<text class="head" x="0" y="-12">{html.escape(head)}</text>']
    for share in (0, 0.5, 1):
        parts.append(f'<line class="rule" x1="0" x2="{PANEL_WIDTH}" y1="{PANEL_HEIGHT * share:.0f}" y2="{PANEL_HEIGHT * share:.0f}"/>')
    parts.append('<polyline class="line" points="' + " ".join(f"{x:.1f},{y:.1f}" for x, y in points) + '"/>')
    for (x, y), value, tick in zip(points, values, ticks, strict=True):
        parts.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"/>')
        parts.append(f'<text class="middle" x="{x:.1f}" y="{y - 9:.1f}">{figure(value)}</text>')
        parts.append(f'<text class="axis middle" x="{x:.1f}" y="{PANEL_HEIGHT + 20}">{tick}</text>')
    return "".join(parts)


def figure(value):
    """A figure with as many digits as tell something."""
    return f"{value:,.0f}" if value >= 20 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"
