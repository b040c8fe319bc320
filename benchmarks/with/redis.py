#!/usr/bin/env python3
"""Redis keeps the same state: BGSAVE is what an epoch of all actors is to cairn.

usage: <question>_redis [--quick] [--list] [--directory DIR] [WORKLOAD...]

`epoch-all`: from the call of BGSAVE to its end, in ms; `stall-all`: the longest time that a command
takes meanwhile, in us; `recovery-1000000`: from the start of the server until it has loaded the
snapshot and answers, in ms. The server listens on a socket of its own alone.
"""
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MANY, QUICK = 1_000_000, 100_000  # sizes.hpp
STATE = b"x" * 64
PIPELINE = 1000
PATIENCE = 300
SERVER = shutil.which("redis-check-rdb")  # the server's own program under the name of its tools


def now():
    return time.perf_counter()


class Server:
    """A redis-server that saves on demand alone."""

    def __init__(self, folder):
        self.place = tempfile.TemporaryDirectory(prefix="redis-")  # a socket's path is short
        self.path = self.place.name + "/socket"
        self.began = now()
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.path, "--dir", str(folder),
             "--save", "", "--appendonly", "no",
             "--rdbcompression", "no", "--daemonize", "no", "--logfile", "log"],
            executable=SERVER, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.socket = None

    def connect(self):
        """Returns once it answers: it has loaded what it had saved."""
        while now() - self.began < PATIENCE:
            try:
                self.socket = socket.socket(socket.AF_UNIX)
                self.socket.connect(self.path)
                self.stream = self.socket.makefile("rb")
                if self.call("PING") == b"PONG":
                    return
            except OSError:
                pass
            self.socket.close()
            time.sleep(0.0005)
        raise SystemExit("redis-server does not answer")

    @staticmethod
    def packed(*words):
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)

    def read(self):
        line = self.stream.readline().rstrip(b"\r\n")
        if line[:1] == b"$":
            size = int(line[1:])
            return self.stream.read(size + 2)[:-2] if size >= 0 else None
        return line[1:]

    def call(self, *words):
        self.socket.sendall(self.packed(*words))
        return self.read()

    def fill(self, keys):
        for first in range(0, keys, PIPELINE):
            count = min(PIPELINE, keys - first)
            self.socket.sendall(b"".join(self.packed("SET", first + at, STATE)
                                         for at in range(count)))
            for _ in range(count):
                self.read()
        if int(self.call("DBSIZE")) != keys:
            raise SystemExit("keys are missing")

    def saving(self):
        return b"rdb_bgsave_in_progress:1" in self.call("INFO", "persistence")

    def save(self):
        """(ms until it has ended, us that the slowest command meanwhile took)"""
        began = now()
        self.call("BGSAVE")
        longest = now() - began
        while True:
            before = now()
            saving = self.saving()
            longest = max(longest, now() - before)
            if not saving:
                break
        took = now() - began
        if b"rdb_last_bgsave_status:ok" not in self.call("INFO", "persistence"):
            raise SystemExit("BGSAVE has failed")
        return took * 1e3, longest * 1e6

    def end(self):
        if self.socket:
            self.socket.close()
        self.process.kill()
        self.process.wait()
        self.place.cleanup()


def with_server(folder, work):
    server = Server(folder)
    try:
        server.connect()
        return work(server)
    finally:
        server.end()


def saves(folder, keys):
    def work(server):
        server.fill(keys)
        return [server.save() for _ in range(3)]
    return with_server(folder, work)


def epoch_all(folder, keys):
    return statistics.median(ms for ms, _ in saves(folder, keys))


def stall_all(folder, keys):
    return statistics.median(us for _, us in saves(folder, keys))


def recovery(folder, keys):
    def first(server):
        server.fill(keys)
        server.save()

    def second(server):
        took = now() - server.began
        if int(server.call("DBSIZE")) != keys:
            raise SystemExit("keys are missing")
        return took * 1e3
    with_server(folder, first)
    return with_server(folder, second)


WORKLOADS = {
    "epochs": {"epoch-all": ("ms", epoch_all)},
    "stalls": {"stall-all": ("us", stall_all)},
    "recovery": {"recovery-1000000": ("ms", recovery)},
}


def main(program, arguments):
    workloads = WORKLOADS[Path(program).name.partition("_")[0]]
    directory, chosen = ".", []
    while arguments:
        word = arguments.pop(0)
        if word == "--directory" and arguments:
            directory = arguments.pop(0)
        elif not word.startswith("-") and word in workloads:
            chosen.append(word)
        elif word not in ("--quick", "--list"):
            print(__doc__.strip().splitlines()[2], file=sys.stderr)
            return 2
    if "--list" in sys.argv:
        print("\n".join(workloads))
        return 0
    keys = QUICK if "--quick" in sys.argv else MANY
    for name in chosen or workloads:
        unit, measure = workloads[name]
        with tempfile.TemporaryDirectory(prefix="bench-", dir=directory) as folder:
            value = measure(Path(folder).resolve(), keys)
        print(json.dumps({"workload": name, "contender": "redis", "unit": unit, "value": value}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[0], sys.argv[1:]))
