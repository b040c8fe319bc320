"""cairn-store where it changes a store: store_change_test.py CASE TOOL PROGRAM"""

import fcntl
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile


def tree(directory):
    found = {}
    for name in sorted(os.listdir(directory)):
        if name == "LOCK":
            continue  # an opening says in it who has the store
        with open(os.path.join(directory, name), "rb") as file:
            found[name] = file.read()
    return found


class Store:
    """What the program has written, the program, and the tool."""

    def __init__(self, tool, program, directory):
        self.tool, self.program, self.directory = tool, program, directory
        self.path = os.path.join(directory, "store")
        subprocess.run([program, self.path, "write"], check=True)

    def run(self, *words, code=0, preexec_fn=None):
        done = subprocess.run([self.tool, self.path, *words], capture_output=True, text=True,
                              preexec_fn=preexec_fn)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def read(self, path=None):
        return subprocess.run([self.program, path or self.path, "read"], check=True,
                              capture_output=True, text=True).stdout.strip()

    def letters(self):
        *found, end = [json.loads(line) for line in self.run("letters", "--json").splitlines()]
        assert end["letters"] == len(found), end
        return found

    def unchanged(self, *words, code):
        before = tree(self.path)
        said = self.run(*words, code=code)
        assert tree(self.path) == before, words
        return said


def letters(store):
    found = store.letters()
    assert [each["id"] for each in found] == [1, 2, 3], found
    first = found[0]
    assert first["actor"] == "one" and first["message"] == "shop::add", first
    assert first["code"] == "failed" and first["text"] == "bad 10" and first["position"] > 0, first
    assert isinstance(first["schema"], int), first
    ids = {each["path"]: each["id"] for each in json.loads(store.run("actors", "--json"))["actors"]}
    late = [each["epoch"] for each in json.loads(store.run("--json")) if each["savepoint"] == "late"]
    assert [[each["actor_id"]] for each in found] == 3 * [[ids["mild/one"]]], found
    assert [[each["epoch"]] for each in found] == 3 * [late], found  # after "early", before "late"
    assert bytes.fromhex(first["payload"])[1:] == bytes([10, 0, 0, 0, 1]), first
    assert "one: shop::add: bad 11" in store.run("letters")
    none = json.loads(store.run("letters", "--epoch", "1", "--json"))
    assert none == {"letters": 0, "displaced": 0}, none
    said = store.unchanged("drop", "2", "--dry-run", code=0)
    assert said == "1 letters would be dropped, 2 left\n", said
    assert "2 letters dropped, 1 left" in store.run("drop", "1", "3")
    assert [each["id"] for each in store.letters()] == [2]
    store.run("verify")
    savepoints = [each["savepoint"] for each in json.loads(store.run("--json"))]
    assert {"early", "late"} <= set(savepoints), "epochs that are retained were dropped"
    # 1, and the letter's 11 when it is delivered again; the other actor waits.
    assert store.read() == "letters 2; one 1; two suspended; then one 12", store.read()
    assert store.read() == "letters; one 12; two suspended; then one 12"


def all_letters(store):
    assert json.loads(store.run("drop", "--all", "--json")) == {"dropped": 3, "left": 0}
    before = tree(store.path)
    assert json.loads(store.run("drop", "--all", "--json")) == {"dropped": 0, "left": 0}
    assert tree(store.path).keys() == before.keys(), "nothing was to do"
    assert store.read() == "letters; one 1; two suspended; then one 1"


def displaced(store):
    """Letters that were displaced are counted, for machines too."""
    end = json.loads(store.run("letters", "--json").splitlines()[-1])
    assert end == {"letters": 3, "displaced": 0}, end
    path = store.path + "-few"
    subprocess.run([store.program, path, "write few"], check=True)
    said = subprocess.run([store.tool, path, "letters", "--json"], capture_output=True, text=True,
                          check=True).stdout.splitlines()
    assert [json.loads(line)["id"] for line in said[:-1]] == [3], said
    assert json.loads(said[-1]) == {"letters": 1, "displaced": 2}, said


def resumes(store):
    actors = {each["path"]: each for each in json.loads(store.run("actors", "--json"))["actors"]}
    assert actors["strict/two"]["suspended"] and not actors["mild/one"]["suspended"]
    said = store.unchanged("resume", "--all", "--dry-run", code=0)
    assert said == "1 actors would be resumed\n", said
    said = json.loads(store.unchanged("resume", "--all", "--dry-run", "--json", code=0))
    assert said == {"resumed": ["strict/two"], "dry_run": True}, said
    assert "1 actors resumed" in store.run("resume", "strict/two")
    actors = {each["path"]: each for each in json.loads(store.run("actors", "--json"))["actors"]}
    assert not actors["strict/two"]["suspended"]
    assert "no suspended actor strict/two" in store.unchanged("resume", "strict/two", code=66)
    # What it had failed at waited in front, and what came after it behind.
    assert store.read() == "letters 1 2 3; one 1; two 1100; then one 34"


def resumes_deadly(store):
    """An actor that its program's process has died of is suspended in no record."""
    store.path = os.path.join(store.directory, "deadly")
    write = [store.program, store.path, "write deadly"]
    for _ in range(2):
        assert subprocess.run(write).returncode == -signal.SIGSEGV
    for _ in range(2):
        said = subprocess.run(write, check=True, capture_output=True, text=True).stdout.strip()
        assert said == "one suspended", said
    actors = json.loads(store.run("actors", "--json"))["actors"]
    held = {each["path"]: each["why"] for each in actors if each["held_back"]}
    why = "the process has died of serializing it 2 times"
    assert held == {"mild/one": why}, actors
    assert all(each["why"] == "" for each in actors if not each["held_back"]), actors
    assert "held back  mild/one (shop::till): " + why + "\n" in store.run("actors")
    turns = os.path.join(store.path, "TURNS")
    with open(turns, "rb") as file:
        good = file.read()
    for at, said in ((0, "it does not begin as such a file"), (30, "its head does not verify")):
        with open(turns, "wb") as file:
            file.write(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
        done = subprocess.run([store.tool, store.path, "actors"], capture_output=True, text=True)
        assert done.returncode == 0 and "held back" not in done.stdout, done
        assert turns + ": " + said + "; the deaths that it counted" in done.stderr, done
    with open(turns, "wb") as file:
        file.write(good)
    store.unchanged("resume", "mild/one", "--dry-run", code=0)
    assert "1 actors resumed" in store.run("resume", "mild/one")
    assert "held back" not in store.run("actors")
    assert "no suspended actor mild/one" in store.unchanged("resume", "mild/one", code=66)
    said = subprocess.run([store.program, store.path, "read held"], check=True,
                          capture_output=True, text=True).stdout.strip()
    assert said == "one 25, letters 0:", said  # what it was sent meanwhile has waited


def gives_up(store):
    path = store.path
    store.path = os.path.join(store.directory, "held")
    subprocess.run([store.program, store.path, "write held"], check=True)
    assert "no actor mild/none" in store.unchanged("give-up", "mild/one", "mild/none", code=66)
    assert "no handler is suspended" in store.unchanged("give-up", "mild", code=66)
    for words in (["busy"], ["mild/one", "busy"]):
        assert "busy is a supervisor" in store.unchanged("give-up", *words, code=78)
    assert "1 handlers would be" in store.unchanged("give-up", "mild/one", "--dry-run", code=0)
    assert json.loads(store.run("give-up", "mild/one", "--json")) == {"given_up": ["mild/one"]}
    for _ in range(2):
        said = subprocess.run([store.program, store.path, "read held"], check=True,
                              capture_output=True, text=True).stdout.strip()
        assert said == "one 3, letters 1: shop::hold", said
    assert "is suspended in mild/one\n" in store.unchanged("give-up", "mild/one", code=66)
    store.path = path


def goes_back(store):
    epochs = json.loads(store.run("--json"))
    first = epochs[0]["epoch"]
    back = ["accept-older", "--epoch", str(first)]
    for more in ([], ["--dry-run"]):
        assert "'late' (epoch " in store.unchanged(*back, *more, code=78)
    back.append("--drop-savepoints")
    said = store.unchanged(*back, "--dry-run", code=0)
    assert f"would go on from epoch {first}; savepoints would be dropped: 'late' (" in said, said
    assert "is the latest, and whole" in store.run("accept-older")
    assert json.loads(store.run("--json")) == epochs
    said = json.loads(store.run(*back, "--json"))
    assert said == {"epoch": first, "older": True, "savepoints_dropped": ["late"]}, said
    after = json.loads(store.run("--json"))
    assert [each["epoch"] for each in after][0] == first
    assert after[-1]["epoch"] > epochs[-1]["epoch"], "a number was given twice"
    assert store.read() == "letters; one 1; two 0; then one 1"
    store.unchanged("accept-older", "--epoch", "99", code=66)


def damage_newest(store, newest):
    """One byte of the newest snapshot is another: the last one that makes a difference to it."""
    path = [os.path.join(store.path, name) for name in sorted(os.listdir(store.path))
            if name.startswith("segment-")][-1]
    with open(path, "rb") as file:
        good = file.read()
    for at in range(len(good) - 1, 0, -1):
        with open(path, "wb") as file:
            file.write(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
        done = subprocess.run([store.tool, store.path, "--json"], capture_output=True, text=True)
        if done.returncode == 0 and json.loads(done.stdout)[-1]["epoch"] < newest:
            return
    raise AssertionError("no byte is of the newest snapshot")


def newest_damaged(store):
    """Nothing of it was released: the one before may take its place, and its savepoint is gone."""
    store.path = os.path.join(store.directory, "kept")
    subprocess.run([store.program, store.path, "write kept"], check=True)
    epochs = json.loads(store.run("--json"))
    assert epochs[-1]["savepoint"] == "end", epochs
    before = epochs[-2]["epoch"]
    damage_newest(store, epochs[-1]["epoch"])
    said = store.unchanged("verify", code=65)
    assert f"snapshot {before} is the latest that is whole" in said, said
    assert f"'end' (epoch {epochs[-1]['epoch']})" in store.unchanged("accept-older", code=78)
    store.run("accept-older", "--drop-savepoints")
    assert "end" not in store.run("epochs")


def damaged(store):
    """The manifest has lost its end, of which segments tell."""
    path = [os.path.join(store.path, name) for name in sorted(os.listdir(store.path))
            if name.startswith("manifest-")][-1]
    with open(path, "rb") as file:
        whole = file.read()
    with open(path, "wb") as file:
        file.write(whole[:-120])
    store.unchanged("drop", "--all", code=65)
    store.unchanged("accept-older", "--dry-run", code=0)
    store.run("accept-older")
    store.run("verify")
    store.read()


def clones(store):
    target = os.path.join(store.directory, "copy")
    before = tree(store.path)
    said = store.run("clone", "early", target, "--dry-run")
    assert " would be copied into " in said, said
    assert not os.path.exists(target)
    assert "no savepoint 'never'" in store.run("clone", "never", target, code=66)
    store.run("clone", "99", target, code=66)
    assert not os.path.exists(target)
    assert "/dev/null is no directory" in store.run("clone", "late", "/dev/null", code=78)
    link = os.path.join(store.directory, "link")
    os.symlink(store.path, link)
    for within in (os.path.join(store.path, "sub"), os.path.join(link, "sub", "sub"), store.path):
        store.unchanged("clone", "late", within, code=78)
    store.run("clone", "early", target)
    assert tree(store.path) == before
    assert store.read(target) == "letters; one 1; two 0; then one 1"
    assert store.read() == "letters 1 2 3; one 1; two suspended; then one 34"
    assert "not empty" in store.run("clone", "late", target, code=78)
    number = json.loads(store.run("--json"))[-1]["epoch"]
    store.run("clone", str(number), target + "-2")
    assert store.read(target + "-2") == "letters; one 34; two suspended; then one 34"


def refuses(store):
    for words in (["drop"], ["drop", "1", "--all"], ["resume"], ["give-up"], ["clone", "early"]):
        store.unchanged(*words, code=78)
    for words in (["drop", "1", "1"], ["drop", "1", "01"], ["resume", "mild/one", "mild/one"],
                  ["give-up", "mild/one", "mild/one"]):
        assert "say each once" in store.unchanged(*words, code=78), words
    for words in (["drop", "1"], ["resume", "--all"], ["give-up", "mild/one"], ["verify"], ["epochs"],
                  [], ["clone", "early", store.path + "-copy"]):
        assert "takes no --epoch" in store.unchanged(*words, "--epoch", "1", code=78), words
    for words in ([], ["actors"], ["verify"], ["letters"]):
        assert "no --dry-run" in store.unchanged(*words, "--dry-run", code=78), words
    store.unchanged("drop", "1", "99", code=66)
    store.unchanged("drop", "one", code=66)
    with open(os.path.join(store.path, "LOCK"), "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for words in (["drop", "1"], ["resume", "--all"], ["accept-older"]):
            store.unchanged(*words, code=75)
            said = json.loads(store.unchanged(*words, "--json", code=75))
            assert said["code"] == "locked" and said["exit"] == 75 and said["error"], said


def names(store):
    """An actor's name is any bytes: what is done is said all the same, and a line is a line."""
    store.path = os.path.join(store.directory, "names")
    subprocess.run([store.program, store.path, "write names"], check=True)

    def run(*words):
        return subprocess.run([store.tool, store.path, *words], capture_output=True, check=True).stdout

    actors = json.loads(run("actors", "--json"))["actors"]
    assert "strict/a\ufffd\nb" in [each["path"] for each in actors], actors
    lines = run("actors").splitlines()
    assert len(lines) == 1 + len(actors), lines
    assert any(b"strict/a\xff\\x0ab (shop::till)" in line for line in lines), lines
    assert len(run("letters").splitlines()) == 2
    assert b"b\xff\\x0ac: shop::add" in run("letters")
    assert json.loads(run("letters", "--json").splitlines()[0])["actor"] == "b\ufffd\nc"
    wrong = subprocess.run([store.tool, store.path, "give-up", b"no\n\xff"], capture_output=True)
    assert wrong.returncode == 66 and wrong.stderr == b"cairn-store: no actor no\\x0a\xff\n", wrong
    for path in ("--all", b"strict/a\xff\nb"):
        said = json.loads(run("resume", path, "--json", "--dry-run"))
        assert said["resumed"] == ["strict/a\ufffd\nb"], said
    assert json.loads(run("resume", "--all", "--json"))["resumed"] == ["strict/a\ufffd\nb"]
    assert not any(each["suspended"] for each in json.loads(run("actors", "--json"))["actors"])


def lost_output(store):
    """What standard output does not take is an error, and none of it gets into the store."""
    looks = [[], ["--json"], ["actors"], ["actors", "--json"], ["letters"], ["letters", "--json"],
             ["verify"], ["verify", "--json"], ["--help"], ["--version"],
             ["drop", "--all", "--dry-run"]]

    def full(*words):
        with open("/dev/full", "w") as nowhere:
            return subprocess.run([store.tool, store.path, *words], stdout=nowhere,
                                  stderr=subprocess.PIPE, text=True)

    def closed(*words):
        return subprocess.run([store.tool, store.path, *words], stderr=subprocess.PIPE, text=True,
                              preexec_fn=lambda: os.close(1))

    before = tree(store.path)
    for words in looks:
        for done in (full(*words), closed(*words)):
            assert done.returncode == 74 and "standard output: " in done.stderr, (words, done)
    assert tree(store.path) == before
    done = full("drop", "1")
    assert done.returncode == 74 and "this is done" in done.stderr, done
    done = closed("drop", "2", "--json")
    said = json.loads(done.stderr)
    assert done.returncode == said["exit"] == 74 and "this is done" in said["error"], done
    assert [each["id"] for each in store.letters()] == [3]
    store.run("verify")
    # Nor is standard error taken for a file of the store, or waited for.
    done = subprocess.run([store.tool, store.path, "drop", "99"], stdout=subprocess.PIPE,
                          preexec_fn=lambda: os.close(2))
    assert done.returncode == 66 and not done.stdout, done
    store.run("verify")


def full_disk(store):
    def no_room(at_most):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (at_most, at_most))
        return limit

    before = tree(store.path)
    found = store.letters()
    refused = 0
    for at_most in range(0, 4000, 100):
        copy = store.path + "-copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(store.path, copy)
        done = subprocess.run([store.tool, copy, "drop", "1"], capture_output=True, text=True,
                              preexec_fn=no_room(at_most))
        left = subprocess.run([store.tool, copy, "letters", "--json"], capture_output=True,
                              text=True, check=True).stdout
        ids = [json.loads(line)["id"] for line in left.splitlines()[:-1]]
        if done.returncode == 0:
            assert ids == [2, 3], at_most
        else:
            refused += 1
            assert done.stderr and ids == [1, 2, 3], (at_most, done.stderr, ids)
    assert refused > 3, refused
    assert tree(store.path) == before and store.letters() == found


if __name__ == "__main__":
    case, tool, program = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        {"displaced": displaced, "letters": letters, "all_letters": all_letters, "resumes": resumes,
         "resumes_deadly": resumes_deadly,
         "gives_up": gives_up, "goes_back": goes_back, "damaged": damaged, "clones": clones, "refuses": refuses,
         "newest_damaged": newest_damaged, "names": names, "lost_output": lost_output,
         "full_disk": full_disk}[case](
             Store(os.path.abspath(tool), os.path.abspath(program), directory))
