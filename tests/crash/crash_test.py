#!/usr/bin/env python3
"""Kills a bank, fills its disk, and lets its system calls fail; the end must be the same.

usage: crash_test.py killed BANK [KILLS [SEED]]
       crash_test.py full_disk BANK [ROUNDS [SEED]]
       crash_test.py failing_calls BANK [POINTS [SEED]]
       crash_test.py failing_calls BANK POINT    one of those that it names
"""
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from failing import CALLS, Point, counted, points_of, traced, was_a_seal, was_met
from story import IO, Bank, Failed, Story, require

SKIPPED = 77
INSIDE = "CAIRN_CRASH_TEST_IN_ITS_NAMESPACE"


class Skipped(Exception):
    """Why a case cannot be run here, in one line."""


def new_story(name, deposits):
    story = Story(FOLDER / name, deposits)
    if not Story.expected:
        plain = Story(FOLDER / "undisturbed", deposits)
        Story.expected = plain.finish()
        require(len(Story.expected[0]) == 18 and Story.expected[1].count(b"\n") == deposits,
                f"not the end of a bank: {Story.expected}")
    return story


def again(case, count, seed):
    seed = random.randrange(2**32) if seed is None else int(seed)
    print(f"{count} times, seed {seed}; again: crash_test.py {case} {Bank.program} {count} {seed}",
          flush=True)
    return random.Random(seed)


# Moments to kill at: each waits for its own, at most until the process has ended.

def poll(bank, reached):
    while not reached() and not bank.ended:
        time.sleep(0.0002)


def soon(chance, bank, _):
    """While it starts: before, while and after the store is opened."""
    time.sleep(chance.uniform(0, 0.03))


def lines(chance, bank, _):
    count = chance.randint(1, 40)
    poll(bank, lambda: len(bank.lines) >= count)


def sizes(folder):
    found = {}
    with os.scandir(folder / "store") as files:
        for each in files:
            try:
                found[each.name] = each.stat().st_size
            except FileNotFoundError:
                pass
    return found


def written(chance, bank, folder):
    """After so many changes of the store's size."""
    left, before = chance.randint(1, 60), {}
    while left > 0 and not bank.ended:
        if (folder / "store").exists() and (now := sizes(folder)) != before:
            left, before = left - 1, now


def made(chance, bank, folder):
    """When a new file of one kind has appeared."""
    kind = chance.choice((".tmp", "segment-", "manifest-", "journal-"))
    before = sizes(folder) if (folder / "store").exists() else {}
    until = time.monotonic() + 0.3  # it may never come
    while not bank.ended and time.monotonic() < until:
        if (folder / "store").exists():
            if any(kind in name for name in sizes(folder) if name not in before):
                return


def published(chance, bank, folder):
    """After so many changes of the ledger's size."""
    left, before = chance.randint(1, 10), None
    until = time.monotonic() + 0.3
    while left > 0 and not bank.ended and time.monotonic() < until:
        path = folder / "ledger"
        if path.exists() and (now := path.stat().st_size) != before:
            left, before = left - 1, now


def last_epoch(chance, bank, _):
    poll(bank, lambda: bank.closing)
    time.sleep(chance.uniform(0, 0.008))


def at_exit(chance, bank, _):
    poll(bank, lambda: bank.closed)
    time.sleep(chance.uniform(0, 0.002))


MIDDLE = (soon, lines, written, made, published)
END = (soon, last_epoch, at_exit)


def killed(kills=20, seed=None):
    """SIGKILL at chosen moments, of one bank after the other."""
    kills = int(kills)
    chance = again("killed", kills, seed)
    met = dict.fromkeys((each.__name__ for each in MIDDLE + END), 0)
    flying = [0, 0, 0]
    story, plan = None, []
    for kill in range(kills):
        if not plan:
            if story:
                story.finish()
            story = new_story(f"bank {kill}", 300)
            plan = [MIDDLE] * chance.randint(3, 9) + [END] * 3
        moment = chance.choice(plan.pop(0))
        bank = story.start("--workers", chance.choice((1, 2, 4)),
                           "--epoch-us", chance.choice((500, 2000, 10000)),
                           "--segment-bytes", chance.choice((4096, 16384)))
        moment(chance, bank, story.folder)
        bank.process.kill()
        try:
            if story.ended(bank, {-9, 0}) == 0:
                story.check_end(bank)
            else:
                met[moment.__name__] += 1
            if story.committed:
                story.retained()
                # With snapshots from before its start and since, what both need must be there.
                mixed = bank.restored and bank.committed - bank.restored[0] in (1, 2)
                if mixed or chance.random() < 0.1 or kill + 1 == kills:
                    story.rehearse()
        except Failed as why:
            raise Failed(f"kill {kill} ({moment.__name__}): {why}") from None
        if bank.restored:
            flying = [a + (b > 0) for a, b in zip(flying, bank.restored[1:])]
    story.finish()
    print(f"killed: {met}; snapshots with messages, handlers, timers: {flying}")
    require(kills < 50 or all(flying), "no snapshot held a message, or none a handler, or a timer")


def in_namespace():
    """Runs this again where a file system can be mounted that nobody else sees."""
    for way in (["unshare", "--mount"], ["unshare", "--mount", "--map-root-user"]):
        probe = [*way, "sh", "-c", "mount -t tmpfs -o size=1m none /mnt"]
        if shutil.which("unshare") and not subprocess.run(probe, capture_output=True).returncode:
            os.environ[INSIDE] = "1"
            os.execvp(way[0], [*way, sys.executable, *sys.argv])
    raise Skipped("mounting a file system is not permitted here")


def take_room(filler):
    """All that there is."""
    with filler.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass


def fill(disk, left):
    """Takes all room but some pages."""
    filler = disk / "filler"
    take_room(filler)
    os.truncate(filler, max(0, filler.stat().st_size // 4096 - left) * 4096)
    return filler


def started(chance, story, *more):
    """It has come some way, and cannot end before long."""
    bank = story.start("--pause-us", 5000, *more)
    epochs = chance.randint(2, 20)
    bank.until(lambda: bank.committed >= epochs, "a commit")
    return bank


def fill_under(bank, chance, story):
    """It stands still meanwhile: else it might come to its end before."""
    bank.process.send_signal(signal.SIGSTOP)
    try:
        return fill(story.folder, chance.randint(0, 12))
    finally:
        bank.process.send_signal(signal.SIGCONT)


def wait_in_vain(bank, filler, reached):
    """Until it has met the full disk. What its store gives back meanwhile is taken, too: else it might
    do with that until its end."""
    def look():
        if reached():
            return True
        take_room(filler)
        return False
    bank.until(look, "an abandoned epoch")


def fill_and_go_on(chance, story):
    """Filled while it runs, and given room again before it has given up."""
    bank = started(chance, story, "--max-abandoned", 0)
    filler = fill_under(bank, chance, story)
    wait_in_vain(bank, filler, lambda: bank.abandoned > 2 or bank.said("refused"))
    filler.unlink()
    story.ended(bank, {0, IO})  # IO where the journal was refused too often meanwhile


def fill_until_it_ends(chance, story):
    """Filled while it runs until it gives up; then there is no room to begin, or none to go on."""
    bank = started(chance, story)
    filler = fill_under(bank, chance, story)
    wait_in_vain(bank, filler, lambda: bank.abandoned >= 5)
    story.ended(bank, {IO})
    require(bank.abandoned >= 5 and re.match(
        r"cairn: 5 epochs in a row could not be committed: .*: No space left on device$",
        bank.errors.read_text()), f"{bank.errors.read_text()}: {bank.tail()}")
    story.retained()
    story.ended(story.start(), {IO})
    story.retained()
    filler.unlink()


def fill_before(chance, story):
    """No room for the first file, or for one of the next."""
    filler = fill(story.folder, chance.randint(0, 8))
    story.ended(story.start(), {IO})
    filler.unlink()


def full_disk(rounds=3, seed=None):
    """A small disk that becomes full: epochs are abandoned, what is committed stays."""
    chance = again("full_disk", rounds, seed)
    Story(FOLDER / "disk", 0)
    for number in range(int(rounds)):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", FOLDER / "disk"],
                       check=True)
        how = (fill_and_go_on, fill_until_it_ends, fill_before)[number % 3]
        try:
            story = new_story("disk", 300)
            story.warns = True
            how(chance, story)
            if story.committed:
                story.retained()
            story.finish()
        except Failed as why:
            raise Failed(f"round {number} ({how.__name__}): {why}") from None
        subprocess.run(["umount", FOLDER / "disk"], check=True)
        print(f"{how.__name__}: {story.committed} epochs", flush=True)


STEADY = ("--epoch-us", 5000, "--epoch-messages", 150, "--segment-bytes", 4096)
DEPOSITS = 60  # of the bank whose calls fail: strace is slow


def begun(chance, story):
    """Killed in the middle: what the next run has to resume."""
    bank = story.start(*STEADY)
    count = chance.randint(DEPOSITS // 3, DEPOSITS)
    bank.until(lambda: bank.committed >= 5 and len(bank.lines) >= count, "the middle")
    bank.process.kill()
    story.ended(bank, {-9, 0})


def begin_as(begin, template, name):
    return template.copy(name) if begin == "resumed" else Story(FOLDER / name, DEPOSITS)


def fail_at(point, template):
    """True: the fault came about."""
    story = begin_as(point.begin, template, "faulty")
    story.excused = True
    codes = {0, -9} if point.fault == "KILL" else {0, IO}
    try:
        bank = story.start(*STEADY, under=point.under(story.folder))
        code = story.ended(bank, codes)
        if code == 0:
            story.check_end(bank)
        require(code != IO or point.may_end or "the last epoch was not" in bank.errors.read_text(),
                f"one failure ended the system: {bank.errors.read_text()}")
        met = was_met(story.folder, code)
        if met and point.is_grave and not was_a_seal(story.folder):
            told = bank.abandoned or bank.said("refused") or bank.said("event")
            require(code == IO or told, "a failure that nobody was told of")
            require(code == IO or not point.when.endswith("+"), "nothing can have become durable")
        if story.committed:
            story.rehearse()
        story.finish(*STEADY)
    except Failed as why:
        raise Failed(f"{point}: {why}; again: crash_test.py failing_calls {Bank.program} {point}"
                     ) from None
    print(f"{point}: {f'exit code {code}' if met else 'not met'}", flush=True)
    shutil.rmtree(story.folder)
    return met


def failing_calls(points=16, seed=None):
    """The n-th call, or all from it on, fails or kills: a clear end, and then the same one."""
    if not shutil.which("strace"):
        raise Skipped("there is no strace")
    probe = subprocess.run([*traced("fsync"), "true"], cwd=FOLDER, capture_output=True, text=True)
    if probe.returncode:
        raise Skipped(f"strace cannot trace here: {probe.stderr.strip()}")
    template = new_story("template", DEPOSITS)
    if ":" in str(points):
        begun(random.Random(0), template)
        return fail_at(Point(*points.split(":")), template)
    chance = again("failing_calls", points, seed)
    begun(chance, template)
    counts = {}
    for begin in ("fresh", "resumed"):
        story = begin_as(begin, template, "counted")
        story.ended(story.start(*STEADY, under=traced(",".join(CALLS), "-y")), {0})
        counts[begin] = counted(story.folder)
        shutil.rmtree(story.folder)
    met = sum([fail_at(point, template) for point in points_of(chance, int(points), counts)])
    print(f"failing_calls: {met} of {points} points were met")
    require(met * 2 > int(points), "too few of the calls were met")


if __name__ == "__main__":
    cases = {f.__name__: f for f in (killed, full_disk, failing_calls)}
    if len(sys.argv) < 3 or sys.argv[1] not in cases:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    Bank.program = Path(sys.argv[2]).resolve()
    try:
        if sys.argv[1] == "full_disk" and INSIDE not in os.environ:
            in_namespace()
        # Where strace decides what fails, the disk need not be a slow one.
        fast = sys.argv[1] == "failing_calls" and os.access("/dev/shm", os.W_OK)
        FOLDER = Path(tempfile.mkdtemp(prefix="cairn-crash-", dir="/dev/shm" if fast else None))
        cases[sys.argv[1]](*sys.argv[3:])
        shutil.rmtree(FOLDER)
    except Skipped as why:
        print(f"{sys.argv[1]}: skipped: {why}", file=sys.stderr)
        sys.exit(SKIPPED)
    except Failed as why:
        print(f"{sys.argv[1]}: {why} (files in {FOLDER})", file=sys.stderr)
        sys.exit(1)
