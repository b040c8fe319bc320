"""A process of the flights job, what it says read as it comes."""
import re
import signal
import subprocess
import threading

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
    """One process of the program."""

    program = None  # its path

    def __init__(self, folder, source, *more, store=None, report=None, alerts=None, cwd=None):
        self.lines = []
        self.progress = (0, 0)  # position, committed epoch
        self.resumed = None
        self.news = threading.Condition()
        self.ended = False
        self.process = subprocess.Popen(
            [self.program, source, "--store", store or folder / "store",
             "--report", report or folder / "report.csv",
             "--alerts", alerts or folder / "alerts.csv", *map(str, more)],
            stderr=subprocess.PIPE, text=True, cwd=cwd)
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
        require(not any("  " in line or line.endswith(" ") for line in self.lines),
                f"a line with a hole: {self.lines}")
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
