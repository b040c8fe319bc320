#!/usr/bin/env python3
"""The scripts that run the benchmarks and draw what they measured, with programs that measure
nothing.

usage: benchmarks_test.py
"""
import json
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
        return subprocess.run([sys.executable, str(SCRIPTS / name), *map(str, arguments)],
                              capture_output=True, text=True, check=False)

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

    def test_quick(self):
        self.add("big", "cairn", "big", 3)
        self.assertEqual(self.bench("--quick").returncode, 0)
        self.assertLess(json.loads(self.out.read_text())[0]["runs"], 7)
        self.assertTrue(all("--quick" in line for line in self.log.read_text().splitlines()))

    def test_one_that_fails(self):
        self.add("big", "cairn", "big", 3)
        self.add("big", "caf", "big", 3, fail="echo 'wrong result' >&2; exit 1")
        ended = self.bench()
        self.assertEqual(ended.returncode, 1)
        self.assertIn("failed: big, caf: big_caf: wrong result", ended.stdout)
        self.assertEqual([r["contender"] for r in json.loads(self.out.read_text())], ["cairn"])

    def test_wrong_arguments(self):
        for script in ("run_benchmarks.py", "draw_plots.py"):
            for wrong in ((), ("a",), ("a", "b", "c"), ("--odd", "b")):
                ended = self.run_script(script, *wrong)
                self.assertEqual(ended.returncode, 2, (script, wrong))
                self.assertTrue(ended.stderr.startswith("usage: "))

    def test_nothing_to_run(self):
        ended = self.bench()
        self.assertEqual(ended.returncode, 1)
        self.assertIn("no benchmarks", ended.stderr)

    def test_plots(self):
        names = [f"ring-{10 ** n}" for n in range(1, 4)] + ["epoch-all", "epoch-all-of-1000",
                 "recovery-100", "recovery-1000", "idle-bytes", "idle-bytes-1000"]
        rows = [{"workload": name, "contender": "cairn", "unit": "ns", "median": 10.0 + at,
                 "min": 1, "max": 2, "runs": 7} for at, name in enumerate(names)]
        self.out.write_text(json.dumps(rows))
        ended = self.run_script("draw_plots.py", self.out, self.folder / "plots")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        for name in ("messages", "epochs", "recovery", "memory"):
            xml.dom.minidom.parse(str(self.folder / "plots" / f"{name}.svg"))
        self.out.write_text(json.dumps(rows[:3]))
        ended = self.run_script("draw_plots.py", self.out, self.folder / "plots")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("no rows for epochs, recovery, memory", ended.stderr)


if __name__ == "__main__":
    unittest.main()
