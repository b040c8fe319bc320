#!/usr/bin/env python3
"""The scripts that run the benchmarks and draw what they measured, with programs that measure
nothing.

usage: benchmarks_test.py
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import xml.dom.minidom
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
FAKE = """#!/bin/sh
if [ "$1" = --list ]; then printf '%s\\n' WORKLOADS; exit; fi
for last; do :; done
echo "$0 $*" >>LOG
FAIL
echo "{\\"workload\\": \\"$last\\", \\"contender\\": \\"CONTENDER\\", \\"unit\\": \\"ns\\", \\"value\\": VALUE}"
"""


class Scripts(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.folder = Path(self.place.name)
        self.programs = self.folder / "programs"
        self.programs.mkdir()
        self.log, self.out = self.folder / "log", self.folder / "bench.json"
        (self.programs / "contenders.txt").write_text("caf 1.1.0\nqb absent\n")

    def tearDown(self):
        self.place.cleanup()

    def add(self, question, contender, workloads, value, fail=""):
        program = self.programs / f"{question}_{contender}"
        text = FAKE
        for word, by in (("WORKLOADS", workloads), ("LOG", str(self.log)), ("FAIL", fail),
                         ("CONTENDER", contender), ("VALUE", str(value))):
            text = text.replace(word, by)
        program.write_text(text)
        program.chmod(0o755)

    def run_script(self, name, *arguments):
        # Who is started in the background by a shell ignores Ctrl-C, and so do its children.
        return subprocess.run([sys.executable, str(SCRIPTS / name), *map(str, arguments)],
                              capture_output=True, text=True, check=False,
                              preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))

    def bench(self, *more):
        return self.run_script("run_benchmarks.py", self.programs, self.out, *more)

    def test_whole_run(self):
        self.add("ring", "floor", "ring-100", 2)
        self.add("ring", "cairn", "ring-100 ring-100+epochs", 20)
        self.add("ring", "caf", "ring-100", 200)
        ended = self.bench()
        self.assertEqual(ended.returncode, 0, ended.stderr)
        rows = json.loads(self.out.read_text())
        self.assertEqual([(r["workload"], r["contender"]) for r in rows],
                         [("ring-100", "cairn"), ("ring-100+epochs", "cairn"),
                          ("ring-100", "floor"), ("ring-100", "caf")])
        self.assertEqual(rows[0], {"workload": "ring-100", "contender": "cairn", "unit": "ns",
                                   "median": 20, "min": 20, "max": 20, "runs": 7})
        self.assertIn("caf 1.1.0, qb absent", ended.stdout)
        line = next(line for line in ended.stdout.splitlines() if "caf  " in line)
        self.assertIn("10.00", line)  # times cairn
        who = [line.split()[0].rpartition("_")[2] for line in self.log.read_text().splitlines()]
        self.assertEqual(who, ["cairn", "cairn", "floor", "caf"] * 7)  # in turns

    def ratios(self, *mode, code=0):
        """{(workload, contender): to cairn, +epochs, to off, to one} of what a run prints."""
        ended = self.bench(*mode)
        self.assertEqual(ended.returncode, code, ended.stderr)
        lines = ended.stdout.splitlines()
        head = next(line for line in lines if "to cairn" in line)
        names = ("unit  ", "to cairn", "+epochs", "to off", "to one")
        ends = [head.index(name) + len(name) for name in names]
        self.assertEqual(ends[-1], len(head))
        return {tuple(line.split()[:2]): tuple(line[begin:end].strip()
                                               for begin, end in zip(ends, ends[1:]))
                for line in lines[lines.index(head) + 1:] if len(line) > ends[0]}

    def test_ratios(self):
        self.add("ring", "cairn", "ring ring+epochs ring-owning ring-owning+epochs ring@2", "$took",
                 fail="case $last in ring) took=20 ;; ring+epochs) took=25 ;; ring-owning) took=40 "
                      ";; ring-owning+epochs) took=60 ;; ring@2) took=22 ;; esac")
        self.add("ring", "caf", "ring ring@2 ring+epochs", 10)
        self.assertEqual(self.ratios(), {
            ("ring", "cairn"): ("", "", "", ""), ("ring", "caf"): ("0.50", "0.40", "", ""),
            ("ring+epochs", "cairn"): ("", "", "1.25", ""),
            ("ring+epochs", "caf"): ("0.40", "", "", ""),
            ("ring-owning", "cairn"): ("", "", "", ""),
            ("ring-owning+epochs", "cairn"): ("", "", "1.50", ""),
            ("ring@2", "cairn"): ("", "", "", "1.10"), ("ring@2", "caf"): ("0.45", "", "", "")})

    def test_points_on_two_workers_are_compared_with_those_on_one(self):
        self.add("big", "cairn", "big-of-10 big-of-10@2 big-of-100@2", "$took",
                 fail="case $last in *@2) took=9 ;; *) took=12 ;; esac")
        self.assertEqual(self.ratios("--growth"), {
            ("big-of-10", "cairn"): ("", "", "", ""), ("big-of-10@2", "cairn"): ("", "", "", "0.75"),
            ("big-of-100@2", "cairn"): ("", "", "", "")})

    def test_where_a_row_is_missing_a_ratio_to_it_is(self):
        blank = {("ring-owning+epochs", "cairn"): ("", "", "", ""), ("ring@2", "cairn"): ("", "", "", ""),
                 ("ring", "caf"): ("", "", "", "")}
        self.add("ring", "caf", "ring", 3)
        self.add("ring", "cairn", "ring-owning+epochs ring@2", 3)  # the others are left out
        self.assertEqual(self.ratios("--quick"), blank)
        self.add("ring", "cairn", "ring ring@2 ring-owning ring-owning+epochs", 3,
                 fail="case $last in ring | ring-owning) exit 1 ;; esac")
        self.assertEqual(self.ratios(code=1), blank)

    def test_who_is_absent_by_now_is_left_out(self):
        for contender in ("cairn", "caf", "qb"):
            self.add("ring", contender, "ring-100", 2)
        self.assertEqual(self.bench().returncode, 0)
        self.assertEqual([row[1] for row in self.rows()], ["cairn", "caf"])

    def test_quick(self):
        self.add("big", "cairn", "big", 3)
        self.assertEqual(self.bench("--quick").returncode, 0)
        self.assertLess(json.loads(self.out.read_text())[0]["runs"], 7)
        self.assertTrue(all("--quick" in line for line in self.log.read_text().splitlines()))

    def test_as_many_runs_as_are_asked_for(self):
        self.add("ring", "cairn", "ring-of-10", 3)
        for arguments, runs in (((), 7), (("--quick",), 3), (("--growth",), 3),
                                (("--runs", "1"), 1), (("--quick", "--runs", "4"), 4),
                                (("--runs", "5", "--growth"), 5)):
            self.log.unlink(missing_ok=True)
            ended = self.bench(*arguments)
            self.assertEqual(ended.returncode, 0, ended.stderr)
            self.assertIn(f"1 rows of {runs} runs", ended.stdout)
            self.assertEqual(len(self.log.read_text().splitlines()), runs)
            self.assertEqual(json.loads(self.out.read_text())[0]["runs"], runs)

    def test_no_number_of_runs(self):
        self.add("big", "cairn", "big", 3)
        for wrong in ("0", "-1", "x", "1.5", "", "10000", "--quick"):
            ended = self.bench("--runs", wrong)
            self.assertEqual(ended.returncode, 2)
            self.assertEqual(ended.stderr,
                             f"bench: --runs takes a number from 1 to 9999, not '{wrong}'\n")
        self.assertEqual(self.bench("--runs").returncode, 2)
        self.assertFalse(self.log.exists())

    def test_one_that_fails(self):
        self.add("big", "cairn", "big", 3)
        self.add("big", "caf", "big", 3, fail="echo 'wrong result' >&2; exit 1")
        ended = self.bench()
        self.assertEqual(ended.returncode, 1)
        self.assertIn("failed: big, caf: big_caf: wrong result", ended.stdout)
        self.assertEqual([r["contender"] for r in json.loads(self.out.read_text())], ["cairn"])

    def test_wrong_arguments(self):
        for script in ("run_benchmarks.py", "draw_plots.py"):
            for wrong in ((), ("a",), ("a", "b", "c"), ("--odd", "b"),
                          ("--quick", "--growth", "a", "b")):
                ended = self.run_script(script, *wrong)
                self.assertEqual(ended.returncode, 2, (script, wrong))
                self.assertTrue(ended.stderr.startswith("usage: "))

    def test_nothing_to_run(self):
        ended = self.bench()
        self.assertEqual(ended.returncode, 1)
        self.assertIn("no benchmarks", ended.stderr)

    def point(self, workload, contender="cairn", median=10.0):
        return {"workload": workload, "contender": contender, "unit": "ns", "median": median,
                "min": median / 2, "max": median * 2, "runs": 3}

    def rows(self):
        """What whole runs have left."""
        return [(row["workload"], row["contender"], row["median"])
                for row in json.loads(self.out.read_text())]

    def test_growth(self):
        for contender in ("cairn", "floor", "caf"):
            self.add("ring", contender, "ring-of-10 ring-of-10@2", 5)
        self.add("ask", "cairn", "ask", 5)
        ended = self.bench("--growth")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual([row[:2] for row in self.rows()],
                         [(workload, contender) for contender in ("cairn", "floor")
                          for workload in ("ring-of-10", "ring-of-10@2")])
        called = self.log.read_text().splitlines()
        self.assertEqual([line.split()[0].rpartition("_")[2] for line in called],
                         ["cairn", "cairn", "floor", "floor"] * 3)  # in turns
        self.assertTrue(all(" --growth " in line for line in called))

    def test_each_kind_of_run_leaves_the_rows_of_the_other(self):
        old = [self.point(name) for name in ("ring-100", "gone", "ring-of-10", "ring-of-7")]
        self.add("ring", "cairn", "ring-of-10", 5)
        self.out.write_text(json.dumps(old))
        self.assertEqual(self.bench("--growth").returncode, 0)
        self.assertEqual(self.rows(), [("ring-100", "cairn", 10), ("gone", "cairn", 10),
                                       ("ring-of-10", "cairn", 5)])
        for mode in ((), ("--quick",)):
            self.add("ring", "cairn", "ring-100", 6)
            self.out.write_text(json.dumps(old))
            self.assertEqual(self.bench(*mode).returncode, 0)
            self.assertEqual(self.rows(), [("ring-100", "cairn", 6), ("ring-of-10", "cairn", 10),
                                           ("ring-of-7", "cairn", 10)])

    def test_a_program_that_says_nothing_is_named(self):
        self.add("ring", "cairn", "ring-100", 20)
        self.add("spawn", "cairn", "spawn", 100, fail="exit 0")
        ended = self.bench("--runs", "1")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("failed: spawn, cairn: spawn_cairn: no row, but ''", ended.stdout)
        self.assertEqual(self.rows(), [("ring-100", "cairn", 20)])

    def test_what_was_measured_before_it_was_stopped_is_kept(self):
        self.add("ring", "cairn", "ring-100", 20)
        self.add("spawn", "cairn", "spawn", 100, fail="kill -INT $PPID; exec sleep 60")
        self.out.write_text('[{"workload": "older"}]\n')
        ended = self.bench("--runs", "1")
        self.assertEqual(ended.returncode, 130, ended.stderr)
        part = self.folder / "bench.part.json"
        self.assertIn(f"stopped; what it has measured is in {part}", ended.stdout)
        self.assertEqual([r["workload"] for r in json.loads(part.read_text())], ["ring-100"])
        self.assertEqual(self.out.read_text(), '[{"workload": "older"}]\n')
        self.add("spawn", "cairn", "spawn", 100)
        self.assertEqual(self.bench("--runs", "1").returncode, 0)
        self.assertFalse(part.exists())
        self.assertEqual([r["workload"] for r in json.loads(self.out.read_text())],
                         ["ring-100", "spawn"])

    def test_what_holds_no_rows_is_left_alone(self):
        self.add("ring", "cairn", "ring-of-10", 5)
        for text in ("", "[", "{}x", '[{"no": "workload"}]', "7"):
            self.out.write_text(text)
            ended = self.bench("--growth")
            self.assertEqual(ended.returncode, 1)
            self.assertEqual(ended.stderr, f"bench: {self.out} holds no rows; remove it\n")
            self.assertEqual(self.out.read_text(), text)
            self.assertFalse(self.log.exists())


class Plots(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.source, self.folder = Path(place.name) / "bench.json", Path(place.name) / "plots"
        self.rows = [{"workload": name, "contender": contender, "unit": "ns", "median": 10.0 + at,
                      "min": 9.5, "max": 300.0, "runs": 3}
                     for at, (name, contender) in enumerate(wanted())]

    def draw(self, python=sys.executable):
        return subprocess.run([python, str(SCRIPTS / "draw_plots.py"), str(self.source),
                               str(self.folder)], capture_output=True, text=True, check=False)

    def drawn(self):
        """{name: text} of all plots."""
        python = with_matplotlib()
        if not python:
            self.skipTest("no python3 on the PATH has matplotlib")
        self.source.write_text(json.dumps(self.rows))
        ended = self.draw(python)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return {path.stem: path.read_text() for path in self.folder.iterdir()}

    def refused(self, *texts):
        ended = self.draw()
        self.assertEqual(ended.returncode, 1)
        self.assertEqual(len(ended.stderr.splitlines()), 1, ended.stderr)
        for text in texts:
            self.assertIn(text, ended.stderr)
        self.assertFalse(self.folder.exists())

    def test_all_are_drawn_and_say_what_they_show(self):
        plots = self.drawn()
        self.assertEqual(sorted(plots), ["big", "dirty", "idle", "memory", "recovery", "ring"])
        for text in plots.values():
            xml.dom.minidom.parseString(text)
            self.assertIn("cairn", text)
        for name, says in (("ring", "time of a hop by the number of actors"),
                           ("ring", "two workers"), ("ring", "1,000,000"), ("big", "plain queues"),
                           ("dirty", "dirty actors"), ("dirty", "fdatasync"),
                           ("idle", "ms from the call to the commit"),
                           ("memory", "bytes per actor"), ("recovery", "read and checksum")):
            self.assertIn(says, plots[name])

    def test_only_other_figures_draw_otherwise(self):
        first = self.drawn()
        self.assertEqual(first, self.drawn())
        row = next(row for row in self.rows if row["workload"] == "recovery-of-1000")
        row["median"] *= 2
        second = self.drawn()
        self.assertEqual([name for name in first if first[name] != second[name]], ["recovery"])

    def test_nothing_was_measured(self):
        self.refused(f"plot: there is no {self.source}; run scripts/bench --growth")

    def test_rows_that_are_missing_are_named(self):
        gone = [("ring-of-1000@2", "cairn"), ("epoch-100-of-1000000", "floor")]
        self.source.write_text(json.dumps([row for row in self.rows if
                                           (row["workload"], row["contender"]) not in gone]))
        self.refused(f"{self.source}: no rows for ring-of-1000@2 cairn, epoch-100-of-1000000 "
                     "floor; run scripts/bench --growth")

    def test_what_is_not_rows_is_refused(self):
        for text in ("7", "[7]", "[{}]", '{"workload": 7}', json.dumps(self.rows)[:-9]):
            self.source.write_text(text)
            self.refused(f"plot: {self.source}: ")
        for wrong in ({"median": 0}, {"min": -1}, {"max": 1}, {"median": "x"}, {"median": None},
                      {"max": float("inf")}):
            self.source.write_text(json.dumps([{**self.rows[0], **wrong}, *self.rows[1:]]))
            self.refused(f"plot: {self.source}: ")

    def test_what_they_want_is_what_the_benchmarks_measure(self):
        measured = set()
        for contender in ("cairn", "floor"):
            for source in (SCRIPTS.parent / "benchmarks").glob(f"*/{contender}.cpp"):
                text = source.read_text()
                for name, behind in re.findall(r'"([\w-]+-of-\d+)"( \+ behind)?', text):
                    measured.add((name, contender))
                    if behind:
                        measured.add((name + "@2", contender))
        self.assertEqual(measured, set(wanted()))


def wanted():
    """(workload, contender) of each row that the plots need."""
    sys.path.insert(0, str(SCRIPTS))
    import draw_plots
    return dict.fromkeys((name, line.contender) for plot in draw_plots.plots()
                         for line in plot.lines for name in line.names.values())


def with_matplotlib():
    """A python that has it: Debian's package is for Debian's python3 alone."""
    for folder in (Path(sys.executable).parent, *map(Path, os.get_exec_path())):
        python = str(folder / "python3")
        if not shutil.which(python):
            continue
        tried = subprocess.run([python, "-c", "import matplotlib"], capture_output=True,
                               check=False)
        if tried.returncode == 0:
            return python
    return None


if __name__ == "__main__":
    unittest.main()
