#!/usr/bin/env python3
"""Tests of the flights job as a process.

usage: flights_test.py CASE FLIGHTS INPUT.csv [KILLS [SEED]]

CASE: killed, workers, done, stopped, malformed, refused
"""
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

RESUME = re.compile(r"resumed: epoch (\d+), position (\d+) of (\d+), (\d+) actors, "
                    r"(\d+) messages in flight, (\d+) suspended handlers$")
PROGRESS = re.compile(r"progress: (\d+)/(\d+), epoch (\d+)$")
PATIENCE = 240  # seconds that any wait may take: sanitizers and busy machines are slow


class Failed(Exception):
    """What a test ends with, in one line."""


def require(holds, text):
    if not holds:
        raise Failed(text)


class Job:
    """One process of the program, what it says read as it comes."""

    def __init__(self, folder, source, *more, store=None):
        self.folder = folder
        self.lines = []
        self.progress = (0, 0)  # position, committed epoch
        self.resumed = None
        self.news = threading.Condition()
        self.ended = False
        self.process = subprocess.Popen(
            [PROGRAM, source, "--store", store or folder / "store",
             "--report", folder / "report.csv", "--alerts", folder / "alerts.csv",
             *map(str, more)],
            stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            with self.news:
                line = line.rstrip("\n")
                self.lines.append(line)
                if match := PROGRESS.match(line):
                    self.progress = int(match[1]), int(match[3])
                elif match := RESUME.match(line):
                    self.resumed = [int(group) for group in match.groups()]
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def until(self, reached, what):
        with self.news:
            good = self.news.wait_for(lambda: reached() or self.ended, PATIENCE)
            require(good and reached(), f"{what} never came: {self.tail()}")

    def tail(self):
        return " / ".join(self.lines[-3:])

    def end(self, code=0):
        """Waits for the end; gives what was said."""
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failed(f"no end: {self.tail()}") from None
        self.reader.join()
        require(self.process.returncode == code,
                f"exit code {self.process.returncode} instead of {code}: {self.tail()}")
        return self.lines

    def kill(self):
        require(self.process.poll() is None, f"ended by itself: {self.tail()}")
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.reader.join()

    def moved(self):
        """Waits until a snapshot beyond the one that this run began from is committed."""
        start = self.resumed[1] if self.resumed else 0
        self.until(lambda: self.progress[0] > start, "progress")
        epoch = self.progress[1]  # the next one may have been cut before, the one after it not
        self.until(lambda: self.progress[1] >= epoch + 2, "a commit")


def outputs(folder):
    return [(folder / name).read_bytes() for name in ("report.csv", "alerts.csv")]


def undisturbed(source, *more, name="undisturbed"):
    folder = FOLDER / name
    folder.mkdir()
    Job(folder, source, *more).end()
    require(all(outputs(folder)), "an output is empty")
    return outputs(folder)


def killed(kills=20, seed=None):
    """SIGKILL at random moments: the same bytes, and every resume begins beyond the one before."""
    seed = random.randrange(2**32) if seed is None else int(seed)
    kills = int(kills)
    print(f"{kills} kills, seed {seed}", flush=True)
    chance = random.Random(seed)
    repeat = 2 * kills
    expected = undisturbed(SOURCE, "--repeat", repeat)
    folder = FOLDER / "killed"
    folder.mkdir()
    position, total, seen, flying, suspended = 0, 20000 * repeat, 0, 0, 0
    for kill in range(kills + 1):
        # Slow enough that all kills come before the end, however long a run takes to get going.
        rate = (total - position) // (kills - kill + 1) * 2 if kill < kills else 0
        job = Job(folder, SOURCE, "--repeat", repeat, "--epoch-ms", chance.choice((1, 5, 20)),
                  "--workers", chance.choice((1, 2, 4)), "--rate", rate)
        if kill < kills:
            job.moved()
            time.sleep(chance.uniform(0, 0.1))
            job.kill()
        else:
            job.end()
        require(bool(job.resumed) == (kill > 0),
                f"a wrong start after kill {kill}: {job.lines[:1]}")
        if job.resumed:
            _, began, total, _, messages, handlers = job.resumed
            require(position < began < total,
                    f"resume {kill} began at {began}, not beyond {position} and before {total}")
            position = began
            flying += messages > 0
            suspended += handlers > 0
    print(f"{flying} of {kills} snapshots held messages in flight, {suspended} suspended handlers")
    require(flying and suspended, "no snapshot held messages in flight, or none a handler")
    require(outputs(folder) == expected, "the outputs differ from those of an undisturbed run")


def workers():
    """Any number of workers, and any interval of epochs, writes the same bytes."""
    one, two, four = (undisturbed(SOURCE, "--workers", count, "--epoch-ms", 3 * count,
                                  name=str(count)) for count in (1, 2, 4))
    require(one == two == four, "the outputs depend on the number of workers")
    report, alerts = (text.decode().splitlines() for text in one)
    require(report[0] == "airport,departures,arrivals,delay_sum,delay_max", report[0])
    require(alerts[0] == "date,delay,origin,destination", alerts[0])
    flights = [line.split(",") for line in SOURCE.read_text().splitlines()[1:]]
    require(alerts[1:] == [f"{date},{delay},{origin},{destination}" for
                           date, delay, _, origin, destination in flights if int(delay) >= 120],
            "the alerts are not the input's")
    counts = {}
    for _, delay, _, origin, destination in flights:
        counts.setdefault(origin, [[], 0])[0].append(int(delay))
        counts.setdefault(destination, [[], 0])[1] += 1
    require(report[1:] == [f"{code},{len(delays)},{arrivals},{sum(delays)},{max(delays, default=0)}"
                           for code, (delays, arrivals) in sorted(counts.items())],
            "the report is not the input's")


def stamps(folder):
    return [(folder / name).stat().st_mtime_ns for name in ("report.csv", "alerts.csv")]


def done():
    """Started again when the job is done, it says so and changes nothing; nor for another job."""
    undisturbed(SOURCE)
    folder = FOLDER / "undisturbed"
    before = outputs(folder), stamps(folder)
    for _ in range(2):
        lines = Job(folder, SOURCE).end()
        require(len(lines) == 1 and "is done: 20000 events; nothing to do" in lines[0], str(lines))
    lines = Job(folder, SOURCE, "--repeat", 2).end(2)
    require("belongs to another job" in lines[0], str(lines))
    require((outputs(folder), stamps(folder)) == before, "an output was touched")


def stopped():
    """SIGTERM ends with a last epoch: nothing that was read is read again."""
    expected = undisturbed(SOURCE, "--repeat", 3)
    folder = FOLDER / "stopped"
    folder.mkdir()
    job = Job(folder, SOURCE, "--repeat", 3, "--rate", 20000, "--epoch-ms", 3600000)
    job.until(lambda: job.progress[0] > 2000, "progress")
    job.process.send_signal(signal.SIGTERM)
    last = job.end(4)[-1]
    match = re.match(r"flights: stopped at (\d+) of 60000$", last)
    require(match, last)
    job = Job(folder, SOURCE, "--repeat", 3)
    job.end()
    require(job.resumed and job.resumed[1] >= int(match[1]), f"{match[1]}, then {job.lines[0]}")
    require(outputs(folder) == expected, "the outputs differ from those of an undisturbed run")


def malformed():
    """Malformed lines are named once, counted and skipped, whatever else happens."""
    good = SOURCE.read_text().splitlines()[:2001]
    bad = {2: "", 100: "2001/01/01 00:47,66,1750,DTW", 101: "2001/01/01,66,1750,DTW,LAS",
           102: "2001/01/01 00:47,late,1750,DTW,LAS", 103: "2001/01/01 00:47,6,-5,DTW,LAS",
           104: "2001/01/01 00:47,6,5,dtw,LAS", 105: "2001/01/01 00:47,6,5,DTW,LASS",
           106: "2001/01/01 00:47,99999999999,5,DTW,LAS", 2000: "\x00\xff,,,,,,,"}
    lines = list(good)
    for number in sorted(bad):
        lines.insert(number - 1, bad[number])
    source, clean = FOLDER / "bad.csv", FOLDER / "clean.csv"
    source.write_text("\n".join(lines))
    clean.write_text("\n".join(good) + "\n")
    expected = undisturbed(clean, "--repeat", 2)
    folder = FOLDER / "malformed"
    folder.mkdir()
    job = Job(folder, source, "--repeat", 2, "--rate", 2000, "--epoch-ms", 5)
    job.moved()
    job.kill()
    said = Job(folder, source, "--repeat", 2).end()
    named = [int(m[1]) for line in said if (m := re.search(r"bad\.csv:(\d+): skipped: ", line))]
    require(named == sorted(bad), f"named: {named}")
    require(f"flights: {len(bad)} malformed lines skipped" in said, str(said[-3:]))
    require(outputs(folder) == expected, "skipped lines left a trace")


def refused():
    """What cannot be done is said in one line, and leaves nothing behind."""
    def attempt(code, text, source, *more):
        lines = Job(folder, source, *more).end(code)
        require(len(lines) == 1 and text in lines[0], f"{lines} instead of one with: {text}")

    folder = FOLDER / "refused"
    folder.mkdir()
    (FOLDER / "empty.csv").touch()
    (FOLDER / "other.csv").write_text("a,b,c\n1,2,3\n")
    attempt(3, "none.csv: cannot open: No such file or directory", FOLDER / "none.csv")
    attempt(3, "cannot read: Is a directory", FOLDER)
    attempt(3, "empty.csv: the first line is not", FOLDER / "empty.csv")
    attempt(3, "other.csv: the first line is not", FOLDER / "other.csv")
    attempt(2, "--repeat", SOURCE, "--repeat", "0")
    attempt(2, "--rate", SOURCE, "--rate", "fast")
    attempt(2, "--nonsense", SOURCE, "--nonsense")
    require(not list(folder.iterdir()), "something was left behind")

    (folder / "alerts.csv").mkdir()
    said = Job(folder, SOURCE).end(3)
    require(any("alerts.csv: cannot open: Is a directory" in line for line in said), str(said))
    (folder / "alerts.csv").rmdir()
    Job(folder, SOURCE).end()
    require(all(outputs(folder)), "the job did not go on once its output could be written")

    holder = Job(folder, SOURCE, "--rate", 100, store=FOLDER / "held")
    holder.until(lambda: holder.lines, "a start")
    said = Job(folder, SOURCE, store=FOLDER / "held").end(3)
    require(any("the store is in use by process" in line for line in said), str(said))
    holder.kill()


if __name__ == "__main__":
    cases = {f.__name__: f for f in (killed, workers, done, stopped, malformed, refused)}
    if len(sys.argv) < 4 or sys.argv[1] not in cases:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    PROGRAM, SOURCE = sys.argv[2], Path(sys.argv[3])
    FOLDER = Path(tempfile.mkdtemp(prefix="cairn-flights-"))
    try:
        cases[sys.argv[1]](*sys.argv[4:])
    except Failed as why:
        print(f"{sys.argv[1]}: {why} (files in {FOLDER})", file=sys.stderr)
        sys.exit(1)
    shutil.rmtree(FOLDER)
