"""System calls that fail, or kill, by strace: which there are, and which of them to choose."""
import re
import shutil
from collections import Counter, defaultdict
from dataclasses import dataclass

CALLS = ("fdatasync fsync rename pwrite64 openat unlink ftruncate fallocate pread64 getdents64 "
         "fstat newfstatat flock").split()
FAULTS = {"rename": "EIO ENOSPC KILL", "pwrite64": "EIO ENOSPC KILL", "fsync": "EIO ENOSPC KILL",
          "fdatasync": "EIO ENOSPC KILL", "openat": "EIO ENOSPC EMFILE KILL",
          "unlink": "EIO KILL", "ftruncate": "EIO KILL", "fallocate": "EIO ENOSPC KILL"}
MOST = 300  # numbers of files, far above those that a bank makes


def numbered(kind, *endings):
    return [f"store/{kind}-{number:06}{ending}" for number in range(1, MOST) for ending in endings]


PLACES = {
    "segment": numbered("segment", ""),
    "manifest": numbered("manifest", "", ".tmp"),
    "journal": numbered("journal-deposits", "", ".tmp"),
    "lock": ["store/LOCK"],
    "turns": ["store/TURNS", "store/TURNS.tmp"],
    "directory": ["store"],
    "ledger": ["ledger"],
}
# With -y: a path, or a descriptor with the path behind it.
TRACED = re.compile(r'(\d+) +(\w+)\(.*?(?:"|/)(store/(?:(\w+?)(?:-[^">]*)?)|store|ledger)[">]')


@dataclass(frozen=True)
class Point:
    """Spelled `fresh:segment:fdatasync:EIO:7`, or `…:7+` for this call and all later ones.

    strace counts the calls of each thread on its own: the n-th is that of every thread that makes
    so many. Few places have more than one.
    """
    begin: str  # fresh: without a store; resumed: with one that was killed
    place: str
    call: str
    fault: str
    when: str

    def __str__(self):
        return ":".join((self.begin, self.place, self.call, self.fault, self.when))

    @property
    def may_end(self):
        """Whether the program may give up: it fails while it starts, or without an end."""
        return (self.begin == "resumed" or self.when.endswith("+")
                or self.place not in ("segment", "journal", "ledger"))

    @property
    def is_grave(self):
        """Whether what it fails cannot be done without, nor go unsaid. Without TURNS it can."""
        grave = self.place != "turns" and self.fault != "KILL"
        return grave and self.call in ("pwrite64", "fdatasync", "fsync", "rename")

    def under(self, folder):
        kills = self.fault == "KILL"
        fault = "signal=KILL" if kills else f"error={self.fault}"
        paths = [path for name in PLACES[self.place] for path in (name, folder / name)]
        return traced(self.call, "-e", f"inject={self.call}:{fault}:when={self.when}",
                      *(f"-P{path}" for path in paths), fast=not kills)


def traced(calls, *more, fast=True):
    """Fast, strace stops a thread for these calls only; then it cannot send a signal."""
    return (shutil.which("strace"), "-f", *(["--seccomp-bpf"] if fast else []), "--quiet=all",
            "-o", "trace", "-e", "signal=none", "-e", f"trace={calls}", *more)


def was_met(folder, code):
    """Whether a fault came about."""
    return code == -9 or "(INJECTED)" in (folder / "trace").read_text()


def was_a_seal(folder):
    """Whether it was all that failed that a journal could not say how far it is durable.

    It does without: its next entry begins a file.
    """
    failed = [line for line in (folder / "trace").read_text().splitlines() if "(INJECTED)" in line]
    return all(re.search(r'"\\0\\0\\0\\0\\2\\0\\0\\0.*, 40, \d+\)', line) for line in failed)


def counted(folder):
    """How often each thread made each call, by place and call."""
    counts = defaultdict(Counter)
    for line in (folder / "trace").read_text().splitlines():
        if match := TRACED.match(line):
            thread, call, path, name = match.groups()
            place = name or path
            place = {"store": "directory", "LOCK": "lock", "TURNS": "turns"}.get(place, place)
            counts[place, call][thread] += 1
    return counts


def points_of(chance, count, counts):
    """Each place, call and fault in turn; the n is one of those of the counted runs."""
    every = [(begin, place, call, fault)
             for begin, found in counts.items() for place, call in found
             for fault in FAULTS.get(call, "EIO").split()]
    left = []
    for _ in range(count):
        left = left or chance.sample(every, len(every))
        begin, place, call, fault = left.pop()
        number = chance.randint(1, chance.choice(list(counts[begin][place, call].values())))
        goes_on = fault != "KILL" and chance.random() < 0.5
        yield Point(begin, place, call, fault, f"{number}{'+' if goes_on else ''}")
