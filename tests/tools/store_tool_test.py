"""cairn-store as an operator uses it: store_tool_test.py CASE TOOL GOLDEN_STORE"""

import fcntl
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile


def tree(directory):
    found = {}
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), "rb") as file:
            found[name] = file.read()
    return found


class Store:
    """A copy of the golden store, and the tool."""

    def __init__(self, tool, golden, directory):
        self.tool = tool
        self.golden = golden
        self.path = os.path.join(directory, "store")
        shutil.copytree(golden, self.path)

    def run(self, *words, code=0):
        done = subprocess.run([self.tool, self.path, *words], capture_output=True, text=True)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def file(self, prefix):
        return os.path.join(self.path,
                            sorted(n for n in os.listdir(self.path) if n.startswith(prefix))[0])


def what_there_is(golden):
    """How many records are read of all snapshots together, and how many entries of journals."""
    standing, entries, record = {}, 0, ""
    with open(golden + ".txt", encoding="utf-8") as text:
        for line in text:
            entries += line.startswith("entry ")
            found = re.match(r"\w+ place .* in((?: \d+)*)$", line)
            if found:
                count, record = len(found[1].split()), line
            elif record and line.startswith("  "):  # its payload
                count, record = standing.pop(record), record + line
            else:
                record = ""
                continue
            standing[record] = count  # once, though it may have been carried into another segment
    return sum(standing.values()), entries


def lists(store):
    before = tree(store.path)
    epochs = json.loads(store.run("--json"))
    assert json.loads(store.run("epochs", "--json")) == epochs
    assert {"before", "after"} <= {each["savepoint"] for each in epochs}, epochs
    numbers = [each["epoch"] for each in epochs]
    assert numbers == sorted(numbers)
    lines = store.run("epochs").splitlines()
    assert len(lines) == len(epochs) + 1
    assert lines[1].split()[0] == str(numbers[0]) and "before" in lines[1]

    latest = json.loads(store.run("actors", "--json"))
    assert latest["epoch"] == numbers[-1]
    actors = {each["path"]: each for each in latest["actors"]}
    assert actors["office/desk/helper"]["type"] == "golden::account", actors
    assert actors["works/paper"]["suspended"] and actors["works/paper"]["waiting"] > 0
    assert actors["office/sum"]["position"] > 0 and actors["office/sum"]["bytes"] > 0
    text = store.run("actors")
    assert "office/alice (golden::account)" in text and "suspended" in text

    first = json.loads(store.run("actors", "--json", "--epoch", str(numbers[0])))
    assert first["epoch"] == numbers[0]
    assert "office/temp" in {each["path"] for each in first["actors"]}

    records, entries = what_there_is(store.golden)
    assert json.loads(store.run("verify", "--json")) == {
        "snapshots": len(epochs), "records": records, "journals": 1, "entries": entries}
    assert store.run("verify") == (f"good: {len(epochs)} snapshots with {records} records, "
                                   f"1 journals with {entries} entries\n")
    assert tree(store.path) == before, "a look has changed the store"


def damaged(store):
    # What a journal's last entries may look like after a crash is no damage; its header is.
    for prefix, at in (("segment-", 150), ("manifest-", 40), ("journal-", 4)):
        path = store.file(prefix)
        with open(path, "rb") as file:
            good = file.read()
        with open(path, "wb") as file:
            file.write(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
        said = store.run("verify", code=65)
        assert os.path.basename(path) in said, (path, said)
        assert said.count("\n") >= 1
        *warnings, error = [json.loads(line)
                            for line in store.run("verify", "--json", code=65).splitlines()]
        assert error["error"] and error["code"] == "damaged" and error["exit"] == 65, error
        texts = [each["warning"] for each in warnings] + [error["error"]]
        assert any(os.path.basename(path) in text for text in texts), texts
        with open(path, "wb") as file:
            file.write(good)
    store.run("verify")
    for name in ("journal-%zz-000001", "journal-%4-000001", "journal-%-000001", "journal-%41-000001"):
        path = os.path.join(store.path, name)
        open(path, "wb").close()
        said = store.run("verify", code=65)
        assert path + ": this is the name of no journal's file" in said, said
        os.remove(path)
    for name in ("journal-", "journal-x", "journal-x-y", "journal-x-000001.tmp", "notes"):
        open(os.path.join(store.path, name), "wb").close()
    store.run("verify")


CLAIM = 7


def records_in(segment):
    """Their kinds, and where they are."""
    at, found = 32, []
    while at < len(segment):
        length, kind = struct.unpack_from("<IB", segment, at)
        end = at + 64 + length + 8
        found.append((kind, range(at, end)))
        at = end
    return found


def damaged_anywhere(store, every=97):
    kinds = set()
    for name in sorted(os.listdir(store.path)):
        path = os.path.join(store.path, name)
        with open(path, "rb") as file:
            good = file.read()
        segment = name.startswith("segment-")
        records = records_in(good) if segment else []
        # A claim that is damaged means nothing.
        claims = [where for kind, where in records if kind == CLAIM]
        places = set(range(0, len(good), every if segment else every // 7))
        for kind, where in records:
            if kind in kinds:
                continue
            kinds.add(kind)  # of each kind: its header, the last byte in front of its checksum, that
            places |= {where[0], where[-9], where[-1]}
        for at in sorted(places):
            with open(path, "r+b") as file:
                file.seek(at)
                file.write(bytes([good[at] ^ 1]))
            if any(at in claim for claim in claims):
                store.run("verify")
            else:
                said = store.run("verify", code=65)
                assert name in said, (name, at, said)
            with open(path, "r+b") as file:
                file.seek(at)
                file.write(good[at:at + 1])
    assert kinds == set(range(1, 8)), kinds
    store.run("verify")


def refused(store):
    assert "no snapshot 99" in store.run("actors", "--epoch", "99", code=66)
    said = json.loads(store.run("actors", "--epoch", "99", "--json", code=66))
    assert "no snapshot 99" in said["error"] and said["code"] == "not_found", said
    assert said["exit"] == 66, said
    with open(os.path.join(store.path, "LOCK"), "w+") as lock:
        lock.write("process 1 since yesterday\n")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "in use by process 1" in store.run("epochs", code=75)
    missing = subprocess.run([store.tool, store.path + "-not"], capture_output=True, text=True)
    assert missing.returncode == 66 and store.path + "-not" in missing.stderr
    assert not os.path.exists(store.path + "-not")
    empty = store.path + "-empty"
    os.mkdir(empty)
    for left in ([], ["LOCK"], ["LOCK", "TURNS", "manifest-000001.tmp"],
                 ["LOCK", "TURNS", "letter.txt", "manifest-000001.tmp"]):
        for name in left:
            open(os.path.join(empty, name), "w").close()
        for words in (["verify"], [], ["actors"], ["drop", "--all"], ["clone", "1", empty + "-2"]):
            done = subprocess.run([store.tool, empty, *words], capture_output=True, text=True)
            assert done.returncode == 66 and "there is no store in it" in done.stderr, (words, done)
        assert sorted(os.listdir(empty)) == left, "it was made a store"
    for words in ([], [store.path, "sing"], [store.path, "drop", "1", "--drop-savepoints"], [store.path, "--epoch", "x", "actors"],
                  [store.path, "actors", "--epoch", "-1"], [store.path, "actors", "--epoch", "9" * 30]):
        wrong = subprocess.run([store.tool, *words], capture_output=True, text=True)
        assert wrong.returncode == 78 and wrong.stderr, words
        machine = subprocess.run([store.tool, *words, "--json"], capture_output=True, text=True)
        said = json.loads(machine.stderr)
        assert machine.returncode == wrong.returncode == said["exit"] and not machine.stdout, said
        assert said["code"] == "misuse" and said["error"] in wrong.stderr, said
    helped = subprocess.run([store.tool, "--help"], capture_output=True, text=True)
    assert helped.returncode == 0 and "verify" in helped.stdout


if __name__ == "__main__":
    case, tool, golden = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        {"lists": lists, "damaged": damaged, "damaged_anywhere": damaged_anywhere,
         "refused": refused}[case](
            Store(os.path.abspath(tool), golden, directory))
