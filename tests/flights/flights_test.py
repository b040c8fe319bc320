#!/usr/bin/env python3
"""Tests of the flights job as a process.

usage: flights_test.py CASE FLIGHTS INPUT.csv [KILLS [SEED]]

CASE: killed, workers, done, gone, stopped, elsewhere, other_job, malformed, refused, files, held,
      lost_input, unwritten
"""
import os
import random
import re
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from job import Failed, Job, outputs, require
from life import Lives


def new_folder(name):
    folder = FOLDER / name
    folder.mkdir()
    return folder


def refusal(code, text, *job, **more):
    """What is refused is said in one line."""
    lines = Job(*job, **more).end(code)
    require(len(lines) == 1 and text in lines[0], f"{lines} instead of one with: {text}")


def undisturbed(source, *more, name="undisturbed"):
    folder = new_folder(name)
    Job(folder, source, *more).end()
    require(all(outputs(folder)), "an output is empty")
    return outputs(folder)


def killed(kills=20, seed=None):
    """SIGKILL at random moments from the first to the last: the same bytes, and nothing twice."""
    kills, seed = int(kills), random.randrange(2**32) if seed is None else int(seed)
    print(f"{kills} kills, seed {seed}", flush=True)
    expected = undisturbed(SOURCE, "--repeat", Lives.REPEAT)
    lives = Lives(random.Random(seed), FOLDER, SOURCE, expected)
    while lives.kills() < kills:
        lives.live(kills - lives.kills())
    for _ in range(20):  # few kills may miss by chance what many will not
        if lives.missing():
            lives.live(8)
    print(f"{lives.jobs} jobs, {lives.kills()} kills: "
          + ", ".join(f"{count} {phase}" for phase, count in lives.phases.items()))
    print(f"of {len(lives.resumes)} snapshots resumed from, {lives.held(4)} held messages in "
          f"flight, {lives.held(5)} suspended handlers")
    require(not lives.missing(), f"no kill met {lives.missing()}")


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


def gone():
    """When the job is done, a report that is gone is written again; alerts that are gone are named."""
    report, alerts = undisturbed(SOURCE)
    folder = FOLDER / "undisturbed"
    for path in (folder / "report.csv", folder / "other.csv"):
        path.unlink(missing_ok=True)
        said = Job(folder, SOURCE, report=path).end()
        require(len(said) == 1 and said[0].endswith("was gone, and has been written again"), said)
        require(path.read_bytes() == report, f"{path} is another report")
    (folder / "alerts.csv").write_bytes(alerts[:-1])
    refusal(3, "has lost some of its lines: ", folder, SOURCE)
    (folder / "alerts.csv").unlink()
    refusal(3, f"is done, but {folder}/alerts.csv is gone: ", folder, SOURCE)
    Job(folder, SOURCE, store=folder / "fresh").end()
    require(outputs(folder) == [report, alerts], "a fresh store does not give the same outputs")


def stop(job, events):
    """Ends it once some events are read; gives how many were."""
    job.until(lambda: job.progress[0] > 200, "progress")
    job.process.send_signal(signal.SIGTERM)
    last = job.end(4)[-1]
    match = re.match(rf"flights: stopped at (\d+) of {events}$", last)
    require(match, last)
    return int(match[1])


def stopped():
    """SIGTERM ends with a last epoch: nothing that was read is read again."""
    expected = undisturbed(SOURCE, "--repeat", 3)
    folder = new_folder("stopped")
    at = stop(Job(folder, SOURCE, "--repeat", 3, "--rate", 500, "--epoch-ms", 3600000), 60000)
    job = Job(folder, SOURCE, "--repeat", 3)
    job.end()
    require(job.resumed and job.resumed[1] >= at, f"{at}, then {job.lines[0]}")
    require(outputs(folder) == expected, "the outputs differ from those of an undisturbed run")


def elsewhere():
    """A job is the same from every directory, and whatever its files are called."""
    expected = undisturbed(SOURCE)
    folder = new_folder("elsewhere")
    (folder / "below").mkdir()
    (folder / "link").symlink_to(folder)
    shutil.copy(SOURCE, folder / "in.csv")
    (folder / "named.csv").symlink_to("in.csv")
    stop(Job(folder, "in.csv", "--rate", 500, store="store", report="report.csv",
             alerts="alerts.csv", cwd=folder), 20000)
    job = Job(folder, "../link/named.csv", store="../below/../store", report="../report.csv",
              alerts="../link/alerts.csv", cwd=folder / "below")
    job.end()
    require(job.resumed, job.lines[0])
    require(outputs(folder) == expected, "the outputs differ from those of an undisturbed run")
    said = Job(folder, folder / "in.csv").end()
    require("nothing to do" in said[0], str(said))


def other_job():
    """Another job is refused before the store's own goes on; it is said which argument it is."""
    folder = new_folder("other_job")
    source, copy = folder / "in.csv", folder / "copy.csv"
    for path in (source, copy):
        shutil.copy(SOURCE, path)

    def stands():
        """Where the job begins; nothing that this run does is committed."""
        job = Job(folder, source, "--repeat", 3, "--rate", 1, "--epoch-ms", 3600000)
        job.until(lambda: job.resumed, "a resume")
        job.kill()
        return job.resumed[1:], (folder / "alerts.csv").read_bytes()

    stop(Job(folder, source, "--repeat", 3, "--rate", 500, "--epoch-ms", 3600000), 60000)
    before = stands()
    refusal(2, "belongs to another job: its --repeat is 3, not 2; give it what it had, or take "
            "another --store", folder, source, "--repeat", 2)
    refusal(2, f"its INPUT is {source}, not {copy}; ", folder, copy, "--repeat", 3)
    refusal(2, f"its --alerts is {folder}/alerts.csv, not {folder}/new.csv; ", folder, source,
            "--repeat", 3, alerts=folder / "new.csv")
    refusal(2, f"not {copy}, and its --repeat is 3, not 1; ", folder, copy)
    with source.open("a") as file:
        file.write("2001/01/01 00:47,66,1750,DTW,LAS\n")
    size = source.stat().st_size
    refusal(2, f"its INPUT {source} had {size - 33} bytes in 20001 lines, not {size} in 20002; ",
            folder, source, "--repeat", 3)
    shutil.copy(SOURCE, source)
    require(stands() == before, f"{before[0]}, then {stands()[0]}")
    require(not (folder / "new.csv").exists(), "a refused output was made")


def malformed():
    """Malformed lines are named once, counted and skipped, whatever else happens."""
    good = SOURCE.read_text().splitlines()[:2001]
    bad = {2: "", 100: "2001/01/01 00:47,66,1750,DTW", 101: "2001/01/01,66,1750,DTW,LAS",
           102: "2001/01/01 00:47,late,1750,DTW,LAS", 103: "2001/01/01 00:47,6,-5,DTW,LAS",
           104: "2001/01/01 00:47,6,5,dtw,LAS", 105: "2001/01/01 00:47,6,5,DTW,LASS",
           106: "2001/01/01 00:47,99999999999,5,DTW,LAS", 2000: "\x00\xff,,,,,,,"}
    clean = FOLDER / "clean.csv"
    clean.write_text("\n".join(good) + "\n")
    expected = undisturbed(clean, "--repeat", 2)

    def names(said):
        return [int(m[1]) for line in said if (m := re.search(r"bad\.csv:(\d+): skipped: ", line))]

    for more in (0, 1, 2, 30):  # 9, 10, 11 and 39 of them
        bad |= {at: "no flight" for at in range(110, 110 + more)}
        folder = new_folder(f"malformed{more}")
        lines = list(good)
        for number in sorted(bad):
            lines.insert(number - 1, bad[number])
        source = folder / "bad.csv"
        source.write_text("\n".join(lines))
        job = Job(folder, source, "--repeat", 2, "--rate", 100, "--epoch-ms", 5)
        met = min(len(bad) - 1, 10)  # named when they are met, not at the end
        job.until(lambda: len(names(job.lines)) == met, "a name")
        job.moved()
        job.kill()
        said = Job(folder, source, "--repeat", 2).end()
        require(names(said) == sorted(bad)[:10], f"named: {names(said)}")
        more_said = sum(line.endswith("are counted, and not named") for line in said)
        require(more_said == (len(bad) > 10), str(said))
        require(said[-2] == f"flights: {len(bad)} malformed lines skipped", str(said[-3:]))
        require(outputs(folder) == expected, "skipped lines left a trace")


def refused():
    """What cannot be done is said in one line, and leaves nothing behind."""
    folder = new_folder("refused")
    (FOLDER / "empty.csv").touch()
    (FOLDER / "other.csv").write_text("a,b,c\n1,2,3\n")
    (FOLDER / "windows.csv").write_text(SOURCE.read_text().replace("\n", "\r\n"))
    os.mkfifo(FOLDER / "pipe")
    refusal(3, "none.csv: cannot open: No such file or directory", folder, FOLDER / "none.csv")
    refusal(3, "cannot read: Is a directory", folder, FOLDER)
    refusal(3, "pipe: cannot read: Is a pipe; it must be a regular file", folder, FOLDER / "pipe")
    refusal(3, "/dev/zero: cannot read: Is a device", folder, "/dev/zero")
    refusal(3, "empty.csv: the first line is not", folder, FOLDER / "empty.csv")
    refusal(3, "other.csv: the first line is not", folder, FOLDER / "other.csv")
    refusal(3, "it ends in CR LF, not in LF alone", folder, FOLDER / "windows.csv")
    refusal(2, "--repeat", folder, SOURCE, "--repeat", "0")
    refusal(2, "--rate", folder, SOURCE, "--rate", "fast")
    refusal(2, "--nonsense", folder, SOURCE, "--nonsense")
    require(not list(folder.iterdir()), "something was left behind")


def files():
    """Outputs and a store that cannot be, or are one file, are refused before anything runs."""
    folder = new_folder("files")
    source = folder / "in.csv"
    shutil.copy(SOURCE, source)
    for name in ("folder", "folder.csv.new"):
        (folder / name).mkdir()
    (folder / "link").symlink_to(folder)
    (folder / "dangling").symlink_to("nowhere")
    (folder / "named.csv").symlink_to("in.csv")
    (folder / "hard.csv").hardlink_to(source)
    os.mkfifo(folder / "pipe")
    before = sorted(folder.iterdir())

    long = "x" * 253
    for path, text in ((folder / "none" / "x.csv", f"cannot make a file in {folder}/none: No such"),
                       (folder / "folder", "folder: cannot open: Is a directory"),
                       (folder / "pipe", "pipe: cannot open: Is a pipe; it must be a regular file"),
                       ("/dev/null", "/dev/null: cannot open: Is a device"),
                       (folder / "dangling", "dangling: cannot open: it is a symbolic link to"),
                       (source / "x.csv", "cannot make a file in"),
                       (f"{folder}/x.csv/", "x.csv/: cannot open: this is not a file's name"),
                       ("/proc/x.csv", "/proc/x.csv: cannot make a file in /proc")):
        refusal(3, text, folder, source, report=path)
        refusal(3, text, folder, source, alerts=path)
    refusal(3, "folder.csv.new: cannot open: Is a directory", folder, source,
            report=folder / "folder.csv")
    refusal(3, "cannot open: File name too long", folder, source, report=folder / long)
    refusal(3, "in.csv: cannot be the store: Not a directory", folder, source, store=source)
    refusal(2, "--report: no file is named", folder, source, "--report", "", report="x.csv")

    for path in (source, folder / "link" / "in.csv", folder / "named.csv", folder / "hard.csv"):
        refusal(2, "INPUT and --report are the same file", folder, source, report=path)
        refusal(2, "INPUT and --alerts are the same file", folder, source, alerts=path)
    refusal(2, "--alerts and --report are the same file", folder, source,
            report=folder / "alerts.csv")
    refusal(2, "--alerts and --report are the same file", folder, source, cwd=folder,
            report="x.csv", alerts=folder / "link" / "folder" / ".." / "x.csv")
    refusal(2, "--alerts and the file that the report is first written to are the same file",
            folder, source, alerts=folder / "report.csv.new")
    refusal(2, "--report and --store are the same file", folder, source, cwd=folder,
            report="store", store="store")
    refusal(2, "--alerts lies in the store", folder, source, store=folder / "folder",
            alerts=folder / "folder" / "alerts.csv")
    require(sorted(folder.iterdir()) == before, "something was left behind")
    require(source.read_bytes() == SOURCE.read_bytes(), "the input was changed")


def held():
    """A store that another process holds is left alone."""
    folder = new_folder("held")
    holder = Job(folder, SOURCE, "--rate", 100)
    holder.until(lambda: holder.lines, "a start")
    refusal(3, "the store is in use by process", folder, SOURCE)
    holder.kill()


def lost_input():
    """An input that is lost on the way ends the job; the last line says so. Put back, it goes on."""
    lose_input(SOURCE, 10000)
    # So few lines that no base is renewed first: what is replayed has read the input, and cannot
    # again.
    short = FOLDER / "short.csv"
    short.write_bytes(b"".join(SOURCE.read_bytes().splitlines(True)[:1000]))
    lose_input(short, 1000, "--epoch-ms", 3600000)


def lose_input(original, rate, *more):
    expected = undisturbed(original, "--repeat", 10, name=f"{original.stem}-undisturbed")
    folder = new_folder(f"{original.stem}-lost")
    source, away = folder / "in.csv", folder / "away.csv"
    shutil.copy(original, source)
    job = Job(folder, source, "--repeat", 10, "--rate", rate, *more)
    job.until(lambda: job.progress[0] > 200, "progress")
    source.rename(away)
    said = job.end(3)
    # By what the replay has to read. Nobody takes that for a handler that is not deterministic.
    how = (r"gives up|is suspended: replay failed at position \d+ \(flights::reader\): "
           r"a turn that had ended well throws")
    why = re.escape(f"{source}: cannot open: No such file or directory")
    require(re.fullmatch(f"flights: the actor reader ({how}): {why}", said[-1]), str(said))
    require(not any("cannot be brought back" in line for line in said), str(said))
    away.rename(source)
    job = Job(folder, source, "--repeat", 10)
    job.end()
    require(job.resumed, job.lines[0])
    require(outputs(folder) == expected, "the outputs differ from those of an undisturbed run")


def unwritten():
    """A snapshot that fails is named and is the exit code; once it can be written the job goes on."""
    expected = undisturbed(SOURCE)
    folder = new_folder("unwritten")
    out = new_folder("unwritten/out")
    job = Job(folder, SOURCE, "--rate", 500, "--epoch-ms", 3600000, alerts=out / "alerts.csv")
    job.until(lambda: job.progress[0] > 200, "progress")
    out.rename(folder / "away")
    job.process.send_signal(signal.SIGTERM)
    said = job.end(3)
    text = rf"snapshot \d+ failed: {re.escape(str(out))}/alerts\.csv: cannot open: No such file or directory$"
    require(any(re.match("flights: " + text, line) for line in said), str(said))
    require("the last epoch was not committed: " in said[-1], said[-1])
    (folder / "away").rename(out)
    Job(folder, SOURCE, alerts=out / "alerts.csv").end()
    require([(folder / "report.csv").read_bytes(), (out / "alerts.csv").read_bytes()] == expected,
            "the outputs differ from those of an undisturbed run")


if __name__ == "__main__":
    cases = {f.__name__: f for f in (killed, workers, done, gone, stopped, elsewhere, other_job,
                                     malformed, refused, files, held, lost_input, unwritten)}
    if len(sys.argv) < 4 or sys.argv[1] not in cases:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    Job.program, SOURCE = (Path(each).resolve() for each in sys.argv[2:4])
    FOLDER = Path(tempfile.mkdtemp(prefix="cairn-flights-"))
    try:
        cases[sys.argv[1]](*sys.argv[4:])
    except Failed as why:
        print(f"{sys.argv[1]}: {why} (files in {FOLDER})", file=sys.stderr)
        sys.exit(1)
    finally:
        Job.kill_all()
    shutil.rmtree(FOLDER)
