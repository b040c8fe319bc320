"""A process that a test runs, what it says read as it comes."""
import signal
import subprocess
import threading

PATIENCE = 240  # seconds that any wait may take: sanitizers and busy machines are slow


class Failed(Exception):
    """What a test ends with, in one line."""


def require(holds, text):
    if not holds:
        raise Failed(text)


class Running:
    """One process; it reads standard error unless `what` says standard output."""

    def __init__(self, command, what="stderr", **more):
        self.lines = []
        self.news = threading.Condition()
        self.ended = False
        self.process = subprocess.Popen([str(each) for each in command], text=True,
                                        **{what: subprocess.PIPE}, **more)
        self.reader = threading.Thread(target=self.read, args=(what,), daemon=True)
        self.reader.start()

    def read(self, what):
        for line in getattr(self.process, what):
            with self.news:
                line = line.rstrip("\n")
                self.lines.append(line)
                self.hear(line)
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def hear(self, line):
        """Told of each line, in `news`."""

    def until(self, reached, what):
        with self.news:
            good = self.news.wait_for(lambda: reached() or self.ended, PATIENCE)
            require(good and reached(), f"{what} never came: {self.tail()}")

    def tail(self):
        return " / ".join(self.lines[-3:]) or "it said nothing"

    def wait(self):
        """Waits for the end; gives the exit code."""
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failed(f"no end: {self.tail()}") from None
        self.reader.join()
        return self.process.returncode

    def kill(self):
        require(self.process.poll() is None, f"ended by itself: {self.tail()}")
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.reader.join()
