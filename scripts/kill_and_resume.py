#!/usr/bin/env python3
"""Runs the flights job undisturbed, and again killed and resumed, and compares the outputs.

usage: kill_and_resume.py FLIGHTS INPUT.csv
"""
import csv
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

KILLS = 10
WORKERS, EPOCH_MS = 2, 20
RATE = 100000  # events per second: slow enough to be killed ten times before the end
REPEAT = 50  # readings of the input
MOVED = 5000  # events that a run handles, and saves, before it may be killed
LONGEST_WAIT = 0.4  # seconds, at random, from there to the kill
PATIENCE = 60  # seconds without a line from the program

START = re.compile(r"started: (\d+) events")
RESUME = re.compile(r"resumed: epoch (\d+), position (\d+) of (\d+)(.*)")
PROGRESS = re.compile(r"progress: (\d+)/(\d+), epoch (\d+)")


class Broken(Exception):
    """What makes the demo end with 1, in one line."""


def bar(done, total, text=""):
    if sys.stdout.isatty():
        filled = 30 * done // total if total else 30
        print(f"\r  [{'#' * filled:.<30}] {done}/{total} {text}\033[K", end="", flush=True)


def bar_off():
    print("\r\033[K" if sys.stdout.isatty() else "", end="", flush=True)


def say(text):
    bar_off()
    print(text, flush=True)


class Job:
    """One process of the flights program, its stderr read as it comes."""

    def __init__(self, program, source, folder, *more):
        self.folder = folder
        self.began = self.at = 0
        self.total = 0
        self.epoch = self.moved_in = 0  # committed last, and when MOVED events had been handled
        self.resumed = None
        self.lines = []
        self.news = threading.Condition()
        self.ended = False
        self.process = subprocess.Popen(
            [program, source, "--store", folder / "store", "--report", folder / "report.csv",
             "--alerts", folder / "alerts.csv", "--workers", str(WORKERS),
             "--epoch-ms", str(EPOCH_MS), "--repeat", str(REPEAT), *more],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            with self.news:
                self.hear(line.strip())
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def hear(self, line):
        if match := START.match(line):
            self.total = int(match[1])
        elif match := RESUME.match(line):
            self.resumed = match
            self.began = self.at = int(match[2])
            self.total = int(match[3])
        elif match := PROGRESS.match(line):
            self.at, self.total, self.epoch = map(int, match.groups())
            if not self.moved_in and self.at >= self.began + MOVED:
                self.moved_in = max(self.epoch, 1)
        else:
            self.lines.append(line)

    def until(self, reached, text=""):
        """Draws the progress until reached() or the end; True if it was reached."""
        with self.news:
            while not reached() and not self.ended:
                if not self.news.wait(PATIENCE):
                    raise Broken(f"flights said nothing for {PATIENCE} s, at {self.at}")
                bar(self.at, self.total, text)
            return reached()

    def is_saved(self):
        """Whether a snapshot holds that it moved: the one after next was begun since."""
        return self.moved_in and self.epoch >= self.moved_in + 2

    def finish(self, text=""):
        self.until(lambda: False, text)
        if self.process.wait(PATIENCE) != 0:
            raise Broken(f"flights ended with {self.process.returncode}: "
                         + " / ".join(self.lines[-3:]))

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.reader.join()


class Demo:
    def __init__(self, program, source, folder):
        self.program, self.source, self.folder = program, source, folder
        self.job = None

    def start(self, name, *more):
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        self.job = Job(self.program, self.source, folder, *more)
        return self.job

    def undisturbed(self):
        began = time.monotonic()
        job = self.start("undisturbed")
        job.finish()
        say(f"undisturbed: {job.total} events in {time.monotonic() - began:.1f} s")

    def disturbed(self):
        position = 0
        for kill in range(1, KILLS + 1):
            job = self.start("disturbed", "--rate", str(RATE))
            text = f"kill {kill} of {KILLS}"
            far_enough = job.until(job.is_saved, text)
            position = self.check_resume(job, kill - 1, position)
            if far_enough:
                time.sleep(random.uniform(0, LONGEST_WAIT))
            if not far_enough or job.process.poll() is not None:
                raise Broken(f"flights ended by itself before kill {kill}: "
                             + " / ".join(job.lines[-3:]))
            job.kill()
            say(f"kill {kill:2}: at {job.at} of {job.total}, epoch {job.epoch} committed")
        job = self.start("disturbed")
        job.finish("the rest")
        self.check_resume(job, KILLS, position)
        say(f"the rest:  {job.total} of {job.total}")

    def check_resume(self, job, kills, position):
        """Each resume begins beyond the one before and before the end."""
        if kills == 0:
            if job.resumed:
                raise Broken("the first run resumed something")
            return 0
        if not job.resumed:
            raise Broken(f"nothing was resumed after kill {kills}: " + " / ".join(job.lines[-3:]))
        epoch, began, total, rest = job.resumed.groups()
        say(f"         resumed: epoch {epoch}, position {began} of {total}{rest}")
        if not position < int(began) < int(total):
            raise Broken(f"resume {kills} began at {began}: not beyond {position} "
                         f"and before {total}")
        return int(began)

    def table(self):
        with open(self.folder / "disturbed" / "report.csv", newline="") as report:
            rows = list(csv.DictReader(report))
        rows.sort(key=lambda r: (-int(r["departures"]) - int(r["arrivals"]), r["airport"]))
        print(f"\n{'airport':8}{'departures':>11}{'arrivals':>10}"
              f"{'delay sum':>11}{'delay max':>11}")
        for row in rows[:10]:
            print(f"{row['airport']:8}{row['departures']:>11}{row['arrivals']:>10}"
                  f"{row['delay_sum']:>11}{row['delay_max']:>11}")

    def compare(self):
        print()
        same = True
        for name in ("report", "alerts"):
            one, other = ((self.folder / run / f"{name}.csv").read_bytes()
                          for run in ("undisturbed", "disturbed"))
            same &= one == other and len(one) > 0
            print(f"{name}: {len(other)} bytes, identical: {'yes' if one == other else 'NO'}")
        if not same:
            raise Broken("the outputs differ, or are empty")


def main(arguments):
    if len(arguments) != 2:
        print("usage: kill_and_resume.py FLIGHTS INPUT.csv", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="cairn-demo-"))
    demo = Demo(*arguments, folder)
    try:
        demo.undisturbed()
        demo.disturbed()
        demo.table()
        demo.compare()
        return 0
    except (Broken, OSError, KeyError) as broken:
        bar_off()
        print(f"demo: {broken}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("stopped")
        return 130
    finally:
        if demo.job:
            demo.job.kill()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
