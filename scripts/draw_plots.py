#!/usr/bin/env python3
"""Draws how what was measured grows, as SVG.

usage: draw_plots.py BENCH.json FOLDER    writes FOLDER/<plot>.svg for each of the plots

The same rows give the same bytes. Needs matplotlib.
"""
import json
import math
import sys
from pathlib import Path

# Told apart without colours too: by marker and by dashes.
LOOKS = ({"color": "#1b6ca8", "marker": "o", "linestyle": "-"},
         {"color": "#c0392b", "marker": "s", "linestyle": "--"})
FLOOR = {"color": "#566573", "marker": "^", "linestyle": ":"}
FIXED = {"svg.hashsalt": "cairn", "svg.fonttype": "none", "font.family": "sans-serif",
         "font.size": 11, "axes.grid": True, "grid.color": "#dddddd", "axes.axisbelow": True,
         "axes.spines.top": False, "axes.spines.right": False, "axes.titleweight": "bold",
         "axes.titlesize": 12, "axes.titlelocation": "left", "legend.frameon": False}


class Broken(Exception):
    """What makes the drawing end with 1, in one line."""


class Line:
    """One contender's row for each x: `workload` holds `{}` where the number stands. `at`: one row
    stands for all."""

    def __init__(self, label, contender, workload, numbers, at=None):
        self.label, self.contender = label, contender
        self.names = {number: workload.format(at or number) for number in numbers}

    def missing(self, rows):
        return [f"{name} {self.contender}" for name in self.names.values()
                if (name, self.contender) not in rows]

    def draw(self, axes, rows, look):
        points = [(x, rows[name, self.contender]) for x, name in self.names.items()]
        middle = [row["median"] for _, row in points]
        spread = [[row["median"] - row["min"] for _, row in points],
                  [row["max"] - row["median"] for _, row in points]]
        axes.errorbar([x for x, _ in points], middle, yerr=spread, label=self.label,
                      linewidth=1.8, markersize=6, elinewidth=1, capsize=2.5, **look)


class Plot:
    """Lines on two logarithmic axes."""

    def __init__(self, name, title, x_label, y_label, *lines):
        self.name, self.title, self.x_label, self.y_label = name, title, x_label, y_label
        self.lines = lines

    def decades(self, rows):
        """Whole powers of ten around all that is shown."""
        shown = [rows[name, line.contender] for line in self.lines for name in line.names.values()]
        return (10.0 ** math.floor(math.log10(min(row["min"] for row in shown))),
                10.0 ** math.ceil(math.log10(1.01 * max(row["max"] for row in shown))))

    def write(self, rows, folder, pyplot, ticker):
        figure, axes = pyplot.subplots(figsize=(7, 4.2), layout="constrained")
        axes.set(title=self.title, xlabel=self.x_label, ylabel=self.y_label, xscale="log",
                 yscale="log")
        looks = iter(LOOKS)
        for line in self.lines:
            line.draw(axes, rows, FLOOR if line.contender == "floor" else next(looks))
        low, high = self.decades(rows)
        axes.set_ylim(low, high)
        steps = (1, 2, 5) if high / low < 200 else (1,)
        for axis, subs in ((axes.xaxis, (1,)), (axes.yaxis, steps)):
            axis.set_major_locator(ticker.LogLocator(subs=subs, numticks=20))
            axis.set_minor_locator(ticker.NullLocator())
            axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: number(value)))
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncol=len(self.lines))
        path = folder / f"{self.name}.svg"
        figure.savefig(path, metadata={"Date": None, "Creator": None, "Title": self.title})
        pyplot.close(figure)
        return path


def number(value):
    return f"{value:g}" if value < 1 else f"{value:,.0f}"


def powers(low, high):
    return [10 ** power for power in range(low, high + 1)]


def plots():
    for name, title in (("ring", "One message under way: time of a hop"),
                        ("big", "Every actor sends: time of a message")):
        yield Plot(name, f"{title} by the number of actors", "actors", "ns per message",
                   Line("cairn, one worker", "cairn", name + "-of-{}", powers(1, 6)),
                   Line("cairn, two workers", "cairn", name + "-of-{}@2", powers(1, 6)),
                   Line("floor: plain queues", "floor", name + "-of-{}", powers(1, 6)))
    yield Plot("dirty", "Time of an epoch by how many of 1,000,000 actors are dirty",
               "dirty actors", "ms from the call to the commit",
               Line("cairn", "cairn", "epoch-{}-of-1000000", powers(2, 6)),
               Line("floor: append and fdatasync of as many bytes", "floor", "epoch-{}-of-1000000",
                    powers(2, 6)))
    yield Plot("idle", "Time of an epoch with 100 dirty actors by the number of all",
               "actors", "ms from the call to the commit",
               Line("cairn", "cairn", "epoch-100-of-{}", powers(3, 6)),
               Line("floor: append and fdatasync of as many bytes", "floor", "epoch-100-of-{}",
                    powers(3, 6), at=1_000_000))
    yield Plot("recovery", "Time of recovery by the number of actors", "actors",
               "ms until each has handled a message",
               Line("cairn", "cairn", "recovery-of-{}", powers(2, 6)),
               Line("floor: read and checksum as many bytes", "floor", "recovery-of-{}",
                    powers(2, 6)))
    yield Plot("memory", "Memory of an idle actor, without its state, by their number", "actors",
               "bytes per actor",
               Line("cairn", "cairn", "idle-bytes-of-{}", powers(3, 6)),
               Line("floor: allocator and a pointer", "floor", "idle-bytes-of-{}", powers(3, 6)))


def read(path):
    """{(workload, contender): row}"""
    try:
        rows = {}
        for row in json.loads(path.read_text()):
            if not 0 < float(row["min"]) <= float(row["median"]) <= float(row["max"]) < math.inf:
                raise ValueError(f"{row['workload']}: its figures are not in order")
            rows[row["workload"], row["contender"]] = row
        return rows
    except FileNotFoundError:
        raise Broken(f"there is no {path}; run scripts/bench --growth") from None
    except (KeyError, TypeError, AttributeError):
        raise Broken(f"{path}: not the rows that scripts/bench writes") from None
    except (OSError, ValueError) as why:
        raise Broken(f"{path}: {why}") from None


def draw(source, folder):
    rows = read(source)
    chosen = list(plots())
    missing = [name for plot in chosen for line in plot.lines for name in line.missing(rows)]
    if missing:
        names = ", ".join(dict.fromkeys(missing))
        raise Broken(f"{source}: no rows for {names}; run scripts/bench --growth")
    try:
        import matplotlib
    except ImportError:
        raise Broken("matplotlib is not there; Debian calls it python3-matplotlib") from None
    matplotlib.use("svg")
    from matplotlib import pyplot, ticker
    matplotlib.rcdefaults()  # nobody's own settings
    pyplot.rcParams.update(FIXED)
    folder.mkdir(parents=True, exist_ok=True)
    for plot in chosen:
        print(plot.write(rows, folder, pyplot, ticker))


def main(arguments):
    if len(arguments) != 2 or any(a.startswith("-") for a in arguments):
        print("usage: draw_plots.py BENCH.json FOLDER", file=sys.stderr)
        return 2
    try:
        draw(*map(Path, arguments))
        return 0
    except (Broken, OSError) as broken:
        print(f"plot: {broken}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
