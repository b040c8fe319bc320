#!/usr/bin/env python3
"""Runs the benchmarks of all contenders in turns and says what they took.

usage: run_benchmarks.py PROGRAMS OUT.json [--quick | --growth] [--runs N]

PROGRAMS holds <question>_<contender>, and contenders.txt; who is absent there is left out, even if
an earlier build has left a program. The runs of one question are interleaved (A B C A B C ...), so
that what else the machine does falls on all of them alike: N runs of each row, by default 7, and 3
with --quick or --growth. With --growth: points of the curves that draw_plots.py shows, of cairn and
the bare machine alone. Rows in OUT.json that the other kind of run has measured stay there. What is measured so far
stands beside it, in OUT.part.json, until the run is through.
"""
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS, BRIEF_RUNS = 7, 3
PATIENCE = 900  # seconds for one measurement
QUESTIONS = ("pingpong", "ring", "counting", "fanin", "big", "ask", "spawn", "skynet", "memory",
             "epochs", "recovery")  # in this order; others behind
FIRST = ("cairn", "floor")
GROWING = ("ring", "big", "memory", "epochs", "recovery")
POINT = re.compile(r".+-of-\d+(@\d+)?")  # a workload of theirs


class Broken(Exception):
    """What makes the run end with 1, in one line."""


def bar(done, total, text=""):
    if sys.stdout.isatty():
        filled = 30 * done // total if total else 30
        print(f"\r  [{'#' * filled:.<30}] {done}/{total} {text}\033[K", end="", flush=True)


def say(text):
    print(("\r\033[K" if sys.stdout.isatty() else "") + text, flush=True)


def call(program, *arguments):
    """What the program prints. It has failed where it says so or takes too long. It runs beside
    itself: some libraries leave a log where they are."""
    program = program.resolve()
    try:
        ended = subprocess.run([str(program), *arguments], capture_output=True, text=True,
                               timeout=PATIENCE, check=False, cwd=program.parent)
    except subprocess.TimeoutExpired:
        raise Broken(f"{program.name}: no result within {PATIENCE} s") from None
    if ended.returncode != 0:
        said = ended.stderr.strip().splitlines() or [f"ended with {ended.returncode}"]
        raise Broken(f"{program.name}: {said[-1]}")
    return ended.stdout


class Row:
    """One workload of one contender: its program, and what its runs came to."""

    def __init__(self, program, contender, workload):
        self.program, self.contender, self.workload = program, contender, workload
        self.unit, self.values = "", []

    def run(self, mode, folder):
        where = str(folder.resolve())
        text = call(self.program, *mode, "--directory", where, self.workload)
        try:
            said = json.loads(text)
        except ValueError:
            raise Broken(f"{self.program.name}: no row, but {text[:60]!r}") from None
        if (said["workload"], said["contender"]) != (self.workload, self.contender):
            raise Broken(f"{self.program.name}: measured something else than {self.workload}")
        self.unit = said["unit"]
        self.values.append(said["value"])

    def result(self):
        return {"workload": self.workload, "contender": self.contender, "unit": self.unit,
                "median": statistics.median(self.values), "min": min(self.values),
                "max": max(self.values), "runs": len(self.values)}


def figure(value):
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def times(value, of):
    return f"{value / of:.2f}" if of else ""


def ratios(row, ours):
    """Another contender's to cairn, with epochs off and on; cairn's to what it takes with epochs
    off, and on one worker. `ours`: cairn's medians. Empty where there is nothing to compare with."""
    workload, took = row["workload"], row["median"]
    if row["contender"] != "cairn":
        return times(took, ours.get(workload)), times(took, ours.get(workload + "+epochs")), "", ""
    to_off, to_one = (times(took, ours.get(workload.removesuffix(end)))
                      if workload.endswith(end) else "" for end in ("+epochs", "@2"))
    return "", "", to_off, to_one


class Bench:
    def __init__(self, programs, mode, runs, folder, keep):
        self.programs, self.folder, self.keep = programs, folder, keep
        self.contenders = (programs / "contenders.txt").read_text().splitlines()
        self.mode, self.growth = mode, mode == ["--growth"]
        self.runs = runs or (BRIEF_RUNS if mode else RUNS)
        self.done = self.total = 0
        self.failures, self.results = [], []

    def questions(self):
        """{question: rows}: cairn first, then the bare machine, then the others by name."""
        found = {}
        for program in sorted(self.programs.iterdir()):
            question, _, contender = program.name.rpartition("_")
            wanted = not self.growth or (question in GROWING and contender in FIRST)
            wanted = wanted and f"{contender} absent" not in self.contenders
            if question and wanted and program.is_file() and os.access(program, os.X_OK):
                found.setdefault(question, []).append((contender, program))
        rows = {}
        for question in sorted(found, key=lambda q: (*(q != each for each in QUESTIONS), q)):
            contenders = sorted(found[question], key=lambda c: (*(c[0] != f for f in FIRST), c))
            rows[question] = [Row(program, contender, workload)
                              for contender, program in contenders
                              for workload in call(program, "--list", *self.mode).split()]
        return rows

    def play(self, question, rows):
        for _ in range(self.runs):
            for row in rows:
                bar(self.done, self.total, f"{row.workload} {row.contender}")
                try:
                    if row not in self.failures:
                        row.run(self.mode, self.folder)
                except Broken as broken:
                    self.failures.append(row)
                    say(f"failed: {row.workload}, {row.contender}: {broken}")
                self.done += 1
        good = [row for row in rows if row not in self.failures]
        self.results += [row.result() for row in good]
        self.table(question, good)
        self.keep(self.results)

    def table(self, question, rows):
        results = [row.result() for row in rows]
        ours = {r["workload"]: r["median"] for r in results if r["contender"] == "cairn"}
        order = list(dict.fromkeys(r["workload"] for r in results))
        results.sort(key=lambda r: order.index(r["workload"]))
        say(f"\n{question:34}{'contender':14}{'median':>10}{'min':>10}{'max':>10} {'unit':6}"
            f"{'to cairn':>9}{'+epochs':>8}{'to off':>8}{'to one':>8}")
        for r in results:
            to_cairn, to_epochs, to_off, to_one = ratios(r, ours)
            print(f"{r['workload']:34}{r['contender']:14}{figure(r['median']):>10}"
                  f"{figure(r['min']):>10}{figure(r['max']):>10} {r['unit']:6}"
                  f"{to_cairn:>9}{to_epochs:>8}{to_off:>8}{to_one:>8}")

    def run(self):
        all_rows = self.questions()
        if not all_rows:
            raise Broken(f"no benchmarks in {self.programs}")
        self.total = self.runs * sum(len(rows) for rows in all_rows.values())
        for question, rows in all_rows.items():
            self.play(question, rows)


def write(out, rows):
    out.write_text("[\n" + ",\n".join(json.dumps(r) for r in rows) + "\n]\n")


def rows_of(out, growth):
    """The rows in the file that are points of curves, or that are none."""
    try:
        rows = json.loads(out.read_text()) if out.exists() else []
        return [row for row in rows if bool(POINT.fullmatch(row["workload"])) == growth]
    except (ValueError, KeyError, TypeError):
        raise Broken(f"{out} holds no rows; remove it") from None


def asked(arguments):
    """PROGRAMS, OUT, the mode's argument and the runs, if given. ValueError: what is wrong."""
    paths, mode, runs = [], [], None
    words = iter(arguments)
    for word in words:
        if word in ("--quick", "--growth"):
            mode.append(word)
        elif word == "--runs":
            number = next(words, "")
            if not re.fullmatch("[1-9][0-9]{0,3}", number):
                raise ValueError(f"bench: --runs takes a number from 1 to 9999, not '{number}'")
            runs = int(number)
        else:
            paths.append(word)
    if len(paths) != 2 or len(mode) > 1 or any(p.startswith("-") for p in paths):
        raise ValueError(__doc__.splitlines()[2])  # the usage
    return Path(paths[0]), Path(paths[1]), mode, runs


def main(arguments):
    try:
        programs, out, mode, runs = asked(arguments)
    except ValueError as wrong:
        print(wrong, file=sys.stderr)
        return 2
    folder, part = None, out.with_suffix(".part.json")
    try:
        folder = Path(tempfile.mkdtemp(prefix="stores-", dir=programs))
        bench = Bench(programs, mode, runs, folder, lambda rows: write(part, rows))
        kept = rows_of(out, not bench.growth)
        part.unlink(missing_ok=True)
        say("contenders: " + ", ".join(bench.contenders))
        began = time.monotonic()
        bench.run()
        write(part, kept + bench.results if bench.growth else bench.results + kept)
        part.replace(out)
        say(f"\n{len(bench.results)} rows of {bench.runs} runs in {out}, "
            f"in {time.monotonic() - began:.0f} s")
        return 1 if bench.failures else 0
    except (Broken, OSError, ValueError) as broken:
        say("")
        print(f"bench: {broken}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("stopped" + (f"; what it has measured is in {part}" if part.exists() else ""))
        return 130
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
