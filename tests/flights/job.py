"""A process of the flights job, what it says read as it comes."""
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from running import PATIENCE, Failed, Running, require  # noqa: E402,F401

START = re.compile(r"started: (\d+) events$")
RESUME = re.compile(r"resumed: epoch (\d+), position (\d+) of (\d+), (\d+) actors, "
                    r"(\d+) messages in flight, (\d+) suspended handlers$")
PROGRESS = re.compile(r"progress: (\d+)/(\d+), epoch (\d+)$")
DONE = re.compile(r"done: \d+ events, ")
WAS_DONE = re.compile(r"flights: the job in .* is done: ")


def outputs(folder):
    return [(folder / name).read_bytes() for name in ("report.csv", "alerts.csv")]


class Job(Running):
    """One process of the program."""

    program = None  # its path
    all = []  # in the order in which they were started

    def __init__(self, folder, source, *more, store=None, report=None, alerts=None, cwd=None):
        self.store = store or folder / "store"
        self.times = []  # when each line was said: seconds since the start
        self.total = 0
        self.progress = (0, 0)  # position, committed epoch
        self.resumed = None
        self.moved_in = None  # the epoch that was committed when it had first moved
        self.done = self.was_done = False  # said that it is done; said that it was before
        self.all_read_at = self.ended_at = None  # seconds since the start
        self.watch = None  # called at every news that comes while it is waited for
        self.began = time.monotonic()
        super().__init__(
            [self.program, source, "--store", self.store,
             "--report", report or folder / "report.csv",
             "--alerts", alerts or folder / "alerts.csv", *more],
            stdout=subprocess.DEVNULL, cwd=cwd, start_new_session=True)
        Job.all.append(self)

    def read(self, what):
        super().read(what)
        self.ended_at = time.monotonic() - self.began

    def hear(self, line):
        self.times.append(time.monotonic() - self.began)
        if match := PROGRESS.match(line):
            at, self.total, epoch = map(int, match.groups())
            self.progress = at, epoch
            if self.moved_in is None and at > self.start:
                self.moved_in = epoch
            if self.all_read_at is None and at == self.total:
                self.all_read_at = self.times[-1]
        elif match := RESUME.match(line):
            self.resumed = [int(group) for group in match.groups()]
            self.total = self.resumed[2]
        elif match := START.match(line):
            self.total = int(match[1])
        elif DONE.match(line):
            self.done = True
        elif WAS_DONE.match(line):
            self.was_done = True

    @property
    def start(self):
        """The position that it began from."""
        return self.resumed[1] if self.resumed else 0

    @property
    def saved(self):
        """Whether a snapshot beyond the one that it began from is committed."""
        # The next one may have been cut before it moved, the one after that not.
        return self.moved_in is not None and self.progress[1] >= self.moved_in + 2

    @property
    def all_read(self):
        """Whether no event is left, and what comes after them has begun."""
        return self.all_read_at is not None

    def reach(self, reached):
        """Waits for reached() or the end; gives whether it was reached."""
        with self.news:
            while not reached() and not self.ended:
                require(self.news.wait(PATIENCE), f"nothing said for {PATIENCE} s: {self.tail()}")
                if self.watch:
                    self.watch()
            return reached()

    def until(self, reached, what):
        require(self.reach(reached), f"{what} never came: {self.tail()}")

    def end(self, code=0):
        """Waits for the end; gives what was said."""
        self.reach(lambda: False)
        ended = self.wait()
        require(ended == code, f"exit code {ended} instead of {code}: {self.tail()}")
        require(not any("  " in line or line.endswith(" ") for line in self.lines),
                f"a line with a hole: {self.lines}")
        return self.lines

    def strike(self):
        """SIGKILL; gives whether it was still alive."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.reader.join()
        if self.process.returncode == -signal.SIGKILL:
            return True
        self.end()
        return False

    def kill(self):
        require(self.strike(), f"ended by itself: {self.tail()}")

    @staticmethod
    def kill_all():
        """Whatever else happens, no process is left behind."""
        for job in Job.all:
            job.process.kill()
            job.process.wait()

    def moved(self):
        """Waits until a snapshot beyond the one that this run began from is committed."""
        self.until(lambda: self.saved, "a commit")
