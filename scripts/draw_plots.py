#!/usr/bin/env python3
"""Draws measured figures as SVG.

usage: draw_plots.py BENCH.json FOLDER    writes FOLDER/<plot>.svg for each plot that has its rows
"""
import json
import math
import re
import sys
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 40, 50  # the legend stands at the right
COLOURS = ("#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#d68910", "#566573")


class Plot:
    """Lines through (x, y) on two logarithmic axes."""

    def __init__(self, name, title, x_label, y_label, lines):
        self.name, self.title, self.x_label, self.y_label = name, title, x_label, y_label
        self.lines = {label: points for label, points in lines.items() if len(points) > 1}

    def bounds(self, axis):
        values = [p[axis] for points in self.lines.values() for p in points]
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        return low, max(high, low + 1)

    def place(self, x, y):
        (x0, x1), (y0, y1) = self.bounds(0), self.bounds(1)
        across = (math.log10(x) - x0) / (x1 - x0)
        up = (math.log10(y) - y0) / (y1 - y0)
        return (LEFT + across * (WIDTH - LEFT - RIGHT),
                HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM))

    def grid(self):
        (x0, x1), (y0, y1) = self.bounds(0), self.bounds(1)
        for power in range(x0, x1 + 1):
            x, bottom = self.place(10 ** power, 10 ** y0)
            yield f'<path class="grid" d="M{x:.1f} {TOP}V{bottom:.1f}"/>'
            yield f'<text x="{x:.1f}" y="{bottom + 16:.1f}" class="middle">{number(power)}</text>'
        for power in range(y0, y1 + 1):
            left, y = self.place(10 ** x0, 10 ** power)
            yield f'<path class="grid" d="M{left:.1f} {y:.1f}H{WIDTH - RIGHT}"/>'
            yield f'<text x="{left - 6:.1f}" y="{y + 4:.1f}" class="end">{number(power)}</text>'

    def line(self, at, label, points):
        colour = COLOURS[at % len(COLOURS)]
        places = [self.place(*p) for p in sorted(points)]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        yield f'<path class="line" stroke="{colour}" d="M{path}"/>'
        for x, y in places:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
        y = TOP + 8 + 18 * at
        yield f'<path class="line" stroke="{colour}" d="M{WIDTH - RIGHT + 12} {y}h18"/>'
        yield f'<text x="{WIDTH - RIGHT + 36}" y="{y + 4}">{escape(label)}</text>'

    def svg(self):
        middle_y = TOP + (HEIGHT - TOP - BOTTOM) / 2
        yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
               f'role="img" aria-label="{escape(self.title)}">')
        yield ("<style>text{font:12px sans-serif;fill:#333}.middle{text-anchor:middle}"
               ".end{text-anchor:end}.title{font-size:14px;font-weight:bold}"
               ".grid{stroke:#ddd;fill:none}.line{fill:none;stroke-width:2}</style>")
        yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
        yield f'<text x="{LEFT}" y="22" class="title">{escape(self.title)}</text>'
        yield from self.grid()
        for at, (label, points) in enumerate(self.lines.items()):
            yield from self.line(at, label, points)
        yield (f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" class="middle">'
               f"{escape(self.x_label)}</text>")
        yield (f'<text transform="translate(18 {middle_y}) rotate(-90)" class="middle">'
               f"{escape(self.y_label)}</text>")
        yield "</svg>"


def number(power):
    if power < 0:
        return f"{10.0 ** power:g}"
    return f"{10 ** power:,}".replace(",", " ")


def series(rows, pattern, contender="cairn"):
    """[(x, median)] of the workloads that match; x is what the pattern's group holds."""
    points = []
    for row in rows:
        match = re.fullmatch(pattern, row["workload"])
        if match and row["contender"] == contender and row["median"] > 0:
            points.append((int(match[1]), row["median"]))
    return points


def with_alias(rows):
    """What is the largest of a series has a name of its own."""
    names = {"epoch-few": "epoch-few-of-1000000", "epoch-all": "epoch-all-of-1000000",
             "idle-bytes": "idle-bytes-1000000"}
    return rows + [{**row, "workload": names[row["workload"]]}
                   for row in rows if row["workload"] in names]


def plots(rows):
    rows = with_alias(rows)
    yield Plot("messages", "A message by the number of actors in a ring", "actors", "ns per hop",
               {"one worker": series(rows, r"ring-(\d+)"),
                "two workers": series(rows, r"ring-(\d+)@2"),
                "CAF": series(rows, r"ring-(\d+)", "caf"),
                "bare queues": series(rows, r"ring-(\d+)", "floor")})
    yield Plot("epochs", "An epoch by the number of actors", "actors", "ms until it is committed",
               {"all are dirty": series(rows, r"epoch-all-of-(\d+)"),
                "100 are dirty": series(rows, r"epoch-few-of-(\d+)")})
    yield Plot("recovery", "Recovery by the number of actors", "actors",
               "ms until each has handled a message",
               {"cairn": series(rows, r"recovery-(\d+)"),
                "read, checksummed": series(rows, r"recovery-(\d+)", "floor")})
    yield Plot("memory", "Memory of an idle actor by their number", "actors", "bytes per actor",
               {"cairn": series(rows, r"idle-bytes-(\d+)")})


def main(arguments):
    if len(arguments) != 2 or any(a.startswith("-") for a in arguments):
        print("usage: draw_plots.py BENCH.json FOLDER", file=sys.stderr)
        return 2
    try:
        rows = json.loads(Path(arguments[0]).read_text())
        folder = Path(arguments[1])
        folder.mkdir(parents=True, exist_ok=True)
        missing = []
        for plot in plots(rows):
            if not plot.lines:
                missing.append(plot.name)
                continue
            (folder / f"{plot.name}.svg").write_text("\n".join(plot.svg()) + "\n")
            print(f"{folder / plot.name}.svg")
    except (OSError, ValueError, KeyError, TypeError) as broken:
        print(f"plot: {arguments[0]}: {broken}", file=sys.stderr)
        return 1
    if missing:
        print(f"plot: no rows for {', '.join(missing)}; a whole scripts/bench has them",
              file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
