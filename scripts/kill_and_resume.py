#!/usr/bin/env python3
"""Runs the flights job undisturbed, and again killed and resumed, and compares the outputs.

usage: kill_and_resume.py FLIGHTS INPUT.csv [SEED]
"""
import csv
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "flights"))
sys.dont_write_bytecode = True
from job import Failed, Job, outputs, require  # noqa: E402
from life import AGAIN, LATE, Life, Paces  # noqa: E402

KILLS = 10
REPEAT = 50  # readings of the input


def bar(done, total, text=""):
    if sys.stdout.isatty():
        filled = 30 * done // total if total else 0
        print(f"\r  [{'#' * filled:.<30}] {done}/{total} {text}\033[K", end="", flush=True)


def bar_off():
    print("\r\033[K" if sys.stdout.isatty() else "", end="", flush=True)


def say(text):
    bar_off()
    print(text, flush=True)


class Demo:
    def __init__(self, program, source, folder, seed):
        Job.program = program
        self.source, self.folder = source, folder
        self.seed = seed
        self.chance = random.Random(seed)

    def start(self, name, text="", *more):
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        job = Job(folder, self.source, "--workers", 2, "--epoch-ms", 20, "--repeat", REPEAT, *more)
        job.watch = lambda: bar(job.progress[0], job.total, text)
        return job

    def undisturbed(self):
        job = self.start("undisturbed")
        job.end()
        say(f"undisturbed: {job.total} events in {job.ended_at:.1f} s")

    def plan(self):
        """One kill in its first moments, most under way, the last ones in the last phase."""
        early = ["middle"] * (KILLS - 4) + ["opening"]
        self.chance.shuffle(early)
        return ["opening", *early, *LATE]

    def disturbed(self):
        total, life = Job.all[-1].total, Life(self.chance, Paces(Job.all[-1]))
        plan, kill = self.plan(), 0
        say(f"killed {KILLS} times, at moments from seed {self.seed}:")
        while kill < KILLS:
            require(len(Job.all) < 10 * KILLS, "the job ends faster than it can be killed")
            share = life.share(total, plan)
            moment = plan.pop(0) if plan and not life.done else AGAIN
            job = self.start("disturbed", f"kill {kill + 1} of {KILLS}", "--rate", share)
            phase = life.kill(moment, job, share)
            self.say_start(job)
            if phase:
                kill += 1
                say(f"kill {kill:2}: {phase}{self.reached(job)}")
        job = self.start("disturbed", "the rest")
        job.end()
        life.learn(job)
        self.say_start(job)
        say(f"         {job.lines[-1].removeprefix('flights: ')}")

    @staticmethod
    def say_start(job):
        """What the run recovered; nothing where it was killed before it could say so."""
        if job.lines and not job.was_done:
            say(f"         {job.lines[0]}")

    @staticmethod
    def reached(job):
        at, epoch = job.progress
        return f", at {at} of {job.total}, epoch {epoch} committed" if epoch else ""

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
        pairs = zip(outputs(self.folder / "undisturbed"), outputs(self.folder / "disturbed"))
        same = True
        for name, (one, other) in zip(("report", "alerts"), pairs):
            same &= one == other and len(one) > 0
            print(f"{name}: {len(other)} bytes, identical: {'yes' if one == other else 'NO'}")
        require(same, "the outputs differ, or are empty")


def main(arguments):
    seed = arguments[2] if len(arguments) == 3 else str(random.randrange(2**32))
    if len(arguments) not in (2, 3) or not seed.isdecimal():
        print("usage: kill_and_resume.py FLIGHTS INPUT.csv [SEED], where SEED is a number",
              file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="cairn-demo-"))
    demo = Demo(*arguments[:2], folder, int(seed))
    try:
        demo.undisturbed()
        demo.disturbed()
        demo.table()
        demo.compare()
        return 0
    except (Failed, OSError, KeyError) as broken:
        bar_off()
        of_file = isinstance(broken, OSError) and broken.filename
        why = f"{broken.filename}: {broken.strerror}" if of_file else broken
        print(f"demo: {why}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("stopped")
        return 130
    finally:
        Job.kill_all()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
