"""A process of the flights job, what it says read as it comes."""
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from running import Failed, Running, require  # noqa: E402,F401

RESUME = re.compile(r"resumed: epoch (\d+), position (\d+) of (\d+), (\d+) actors, "
                    r"(\d+) messages in flight, (\d+) suspended handlers$")
PROGRESS = re.compile(r"progress: (\d+)/(\d+), epoch (\d+)$")


class Job(Running):
    """One process of the program."""

    program = None  # its path

    def __init__(self, folder, source, *more, store=None, report=None, alerts=None, cwd=None):
        self.progress = (0, 0)  # position, committed epoch
        self.resumed = None
        super().__init__(
            [self.program, source, "--store", store or folder / "store",
             "--report", report or folder / "report.csv",
             "--alerts", alerts or folder / "alerts.csv", *more], cwd=cwd)

    def hear(self, line):
        if match := PROGRESS.match(line):
            self.progress = int(match[1]), int(match[3])
        elif match := RESUME.match(line):
            self.resumed = [int(group) for group in match.groups()]

    def end(self, code=0):
        """Waits for the end; gives what was said."""
        ended = self.wait()
        require(ended == code, f"exit code {ended} instead of {code}: {self.tail()}")
        require(not any("  " in line or line.endswith(" ") for line in self.lines),
                f"a line with a hole: {self.lines}")
        return self.lines

    def moved(self):
        """Waits until a snapshot beyond the one that this run began from is committed."""
        start = self.resumed[1] if self.resumed else 0
        self.until(lambda: self.progress[0] > start, "progress")
        epoch = self.progress[1]  # the next one may have been cut before, the one after it not
        self.until(lambda: self.progress[1] >= epoch + 2, "a commit")
