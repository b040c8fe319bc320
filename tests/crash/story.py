"""A bank over all runs of its program, and what must hold of it whatever happened to them."""
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from running import Failed, Running, require  # noqa: E402,F401

IO = 74  # cairn::exit_code::io: the disk refused or is full
RESTORED = re.compile(r"restored (\d+): \d+ actors, (\d+) messages, (\d+) handlers, (\d+) timers$")
# What a disk that fails may do to an actor: the ledger's has files of its own to write.
EXCUSED = re.compile(r"event (failed|given_up|dead_letter|suspended) ledger: |event store_warning ")
# Two kills within one publication look like two deaths of it. It is begun again: no harm.
SUSPECTED = re.compile(r"event failed ledger: the process has died \d+ times while \"publish\" of ")
WARNING = re.compile(r"event store_warning .*: No space left on device$")
NOTHING = re.compile(r"(?!)")


class Bank(Running):
    """One process of the program. Its standard error is a file."""

    program = None  # its path

    def __init__(self, folder, *more, under=()):
        self.restored = None  # epoch; messages, handlers and timers that were under way
        self.committed = 0
        self.closing = self.closed = False  # the end is said; and an epoch after it
        self.abandoned = 0
        self.errors = folder.parent / f"{folder.name}.stderr"  # the disk may be full
        with self.errors.open("w") as errors:
            super().__init__([*under, self.program, "--store", "store", "--ledger", "ledger",
                              *more], "stdout", cwd=folder, stderr=errors, start_new_session=True)

    def hear(self, line):
        if match := RESTORED.match(line):
            self.restored = [int(group) for group in match.groups()]
            self.committed = self.restored[0]
        elif line.startswith("committed "):
            self.committed = int(line.split()[1])
            self.closed = self.closing
        elif line.startswith("abandoned "):
            self.abandoned += 1
        elif line == "closing":
            self.closing = True

    def wait(self):
        try:
            return super().wait()
        except Failed:
            os.killpg(self.process.pid, signal.SIGKILL)  # also what runs under strace
            raise

    def said(self, start):
        return [line for line in self.lines if line.startswith(start)]


class Story:
    """A folder with one bank's store and ledger."""

    expected = None  # the end's lines, and the ledger, of a run without faults

    def __init__(self, folder, deposits):
        self.folder, self.deposits = folder, deposits
        self.excused = False  # its calls fail, or did: that a call failed is part of a snapshot
        self.warns = False  # its disk is full, or was: what the store cannot note, it says
        self.runs = 0
        self.committed = 0
        self.acknowledged = set()
        self.published = b""
        folder.mkdir(parents=True, exist_ok=True)

    def copy(self, name):
        """The same again in another folder."""
        other = Story(self.folder.parent / name, self.deposits)
        other.excused, other.warns = self.excused, self.warns
        other.runs, other.committed = self.runs, self.committed
        other.acknowledged, other.published = set(self.acknowledged), self.published
        shutil.rmtree(other.folder)
        shutil.copytree(self.folder, other.folder)
        return other

    def start(self, *more, under=()):
        self.runs += 1
        return Bank(self.folder, "--deposits", self.deposits, "--run", self.runs, *more,
                    under=under)

    def ended(self, bank, codes):
        """What must hold of every process, and be remembered of it."""
        code = bank.wait()
        errors = bank.errors.read_text()
        self.acknowledged.update(line.split()[1] for line in bank.said("ack "))
        if bank.restored or bank.said("started"):  # else it did not come so far
            began = bank.restored[0] if bank.restored else 0
            require(began >= self.committed,
                    f"began with epoch {began}, but {self.committed} was committed")
        self.committed = max(self.committed, bank.committed)
        require(code in codes, f"exit code {code}, not one of {codes}: {errors} {bank.tail()}")
        if code == IO:
            require(re.match(r"(cairn|bank): .*\n$", errors), f"no clear error: {errors!r}")
        else:
            require(errors == "", f"on standard error: {errors}")
        # Shorter for a while is right: what is not known to be published is published again.
        now, self.published = sorted((self.published, self.ledger()), key=len)
        require(self.published.startswith(now), f"what was published has changed: {now[-99:]}, "
                f"{self.published[:len(now)][-99:]}")
        excused = EXCUSED if self.excused else WARNING if self.warns else NOTHING
        wrong = [line for line in bank.said("event ")
                 if not excused.match(line) and not SUSPECTED.match(line)]
        require(not wrong, wrong)
        return code

    def ledger(self):
        path = self.folder / "ledger"
        return path.read_bytes() if path.exists() else b""

    def check_end(self, bank):
        """The last lines of a run that came to its end, and the ledger."""
        state = bank.said("end ")
        ledger = re.sub(rb",\d+\n", b"\n", self.ledger())  # without the random numbers
        if Story.expected:
            require(state == Story.expected[0], f"another end: {state}")
            require(ledger == Story.expected[1], "another ledger")
        taken = bank.said("taken ")[0].split()[1:]
        require(len(taken) == len(set(taken)), "a post was taken twice")
        lost = self.acknowledged - set(taken)
        require(not lost, f"acknowledged, and lost: {sorted(lost)}")
        last = {}
        for attempt in taken:
            sender, number = attempt.split(".")
            require(last.get(sender, 0) < int(number), f"{attempt} after {last.get(sender)}")
            last[sender] = int(number)
        return state, ledger

    def finish(self, *more):
        """Without faults, to the end."""
        bank = self.start(*more)
        self.ended(bank, {0})
        return self.check_end(bank)

    def retained(self):
        """The epochs that the store still has, each read as a whole."""
        done = subprocess.run([Bank.program, "--store", "store", "--list"], cwd=self.folder,
                              capture_output=True, text=True, timeout=60)
        require(done.returncode == 0 and "event" not in done.stdout,
                f"the store cannot be read: {done.stdout} {done.stderr}")
        found = [int(line.split()[1].rstrip(":")) for line in done.stdout.splitlines()]
        require(max(found, default=0) >= self.committed,
                f"{self.committed} was committed, but there are {found}")
        return found

    def rehearse(self):
        """From every epoch that is retained, in a copy, to the end."""
        for number in self.retained():
            copy = self.copy(f"as_of_{number}")
            copy.committed, copy.published = 0, b""
            # What was acknowledged after this epoch by a commit and not in a journal is not in it.
            copy.acknowledged = {each for each in copy.acknowledged if each[0] == "j"}
            try:
                copy.finish("--as-of", number, "--epoch-us", 20000)
            except Failed as why:
                raise Failed(f"from epoch {number}: {why}") from None
            shutil.rmtree(copy.folder)
