#!/usr/bin/env python3
"""The mechanical part of cairn's style.

usage: check.py ROOT    prints one `file:line: what` for each breach, exits 1 if there is one
"""
import re
import sys
from fnmatch import fnmatchcase
from pathlib import Path

FILE_LINES, FUNCTION_LINES, COLUMNS = 400, 70, 100
AS_WRITTEN = ("examples/account.cpp",)  # the program of the README, with its comments beside it
SOURCES = ("include", "tests", "examples", "benchmarks")
WRITTEN = SOURCES + ("docs", "scripts", "cmake", "conan", ".ci")
ORDERS = re.compile(r"memory_order|\b(relaxed|acquire|release|acq_rel|seq_cst)\b")
ATOMIC_OPERATION = re.compile(
    r"(?:\.|->)(?:load|store|exchange|fetch_\w+|compare_exchange_\w+|test_and_set)\s*\(")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
LITERAL_OR_COMMENT = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^\s()\\]*)\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'", re.S)
NOT_A_FUNCTION = re.compile(r"\b(?:namespace|class|struct|union|enum)\b|\bextern\s*$|=\s*$")


def blank(text):
    """The text without comments and literals; every line keeps its number."""
    def spaces(match):
        return re.sub(r"[^\n]", " ", match.group())
    return LITERAL_OR_COMMENT.sub(spaces, text)


def line_of(text, index):
    return text.count("\n", 0, index) + 1


def closing(text, start, pair="()"):
    """The index of what closes the bracket at `start`."""
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] == pair[0]) - (text[i] == pair[1])
        if depth == 0:
            return i
    return len(text)


def without_template_heads(head):
    while match := re.search(r"\btemplate\s*<", head):
        end = closing(head, match.end() - 1, "<>")
        head = head[:match.start()] + head[end + 1:]
    return head


def long_functions(code):
    """(first line, length) of each outermost braced block that is a function and too long."""
    opened, head_start = [], 0
    code = re.sub(r"(?m)^\s*#.*(?:\\\n.*)*$", lambda m: re.sub(r"[^\n]", " ", m.group()), code)
    for i, char in enumerate(code):
        if char == "{":
            head = code[head_start:i]
            start = head_start + len(head) - len(head.lstrip())
            is_function = not NOT_A_FUNCTION.search(without_template_heads(head))
            opened.append((start, is_function))
        elif char == "}" and opened:
            start, is_function = opened.pop()
            first, last = line_of(code, start), line_of(code, i)
            inside = any(outer for _, outer in opened)
            if is_function and not inside and last - first + 1 > FUNCTION_LINES:
                yield first, last - first + 1
        if char in "{};":
            head_start = i + 1


class Layers:
    def __init__(self, text):
        self.rows, self.fences = {}, []
        for line in text.splitlines():
            if fence := re.match(r"(<\S+) only in: (.*)", line):
                self.fences.append((fence[1][1:], fence[2].split()))
            elif row := re.match(r"(\w+): (.*)", line):
                self.rows.setdefault(row[1], []).extend(row[2].split())

    def row(self, header):
        for number, patterns in enumerate(self.rows.values()):
            if any(fnmatchcase(header, p) for p in patterns):
                return number
        return None


class Check:
    def __init__(self, root):
        self.root = root
        self.include = root / "include" / "cairn"
        self.breaches = []

    def say(self, path, line, what):
        self.breaches.append(f"{path.relative_to(self.root)}:{line}: {what}")

    def files(self, folders, *suffixes):
        for folder in folders:
            for path in sorted((self.root / folder).rglob("*")):
                built = "build" in path.relative_to(self.root).parts
                if path.is_file() and not built and (not suffixes or path.suffix in suffixes):
                    yield path

    def run(self):
        for path in self.files(SOURCES, ".hpp", ".cpp"):
            text = path.read_text()
            code = blank(text)
            self.sizes(path, text, code)
            if path.is_relative_to(self.include):
                self.header(path, text, code)
            if not path.is_relative_to(self.root / "tests"):
                self.ownership(path, code)
        for path in self.files(WRITTEN, ".hpp", ".cpp", ".md", ".cmake", ".sh", ".txt"):
            for match in re.finditer(r"\b(TO" r"DO|FIX" r"ME)\b", path.read_text()):
                self.say(path, line_of(path.read_text(), match.start()), f"{match[1]} is left")
        layers = self.root / "tests" / "style" / "layers.txt"
        self.layers(Layers(layers.read_text()))
        self.tests()
        return self.breaches

    def sizes(self, path, text, code):
        lines = text.splitlines()
        if len(lines) > FILE_LINES:
            self.say(path, len(lines), f"{len(lines)} lines, at most {FILE_LINES}")
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS and str(path.relative_to(self.root)) not in AS_WRITTEN:
                self.say(path, number, f"{len(line)} columns, at most {COLUMNS}")
        for first, length in long_functions(code):
            self.say(path, first, f"a function of {length} lines, at most {FUNCTION_LINES}")

    def header(self, path, text, code):
        if "#pragma once" not in text:
            self.say(path, 1, "no #pragma once")
        detail = "detail" in path.relative_to(self.include).parts
        for match in re.finditer(r"(?m)^[ \t]*#[ \t]*define\b", code):
            if not detail:
                self.say(path, line_of(code, match.start()), "a macro in a public header")
        if "atomic" in code:
            for match in ATOMIC_OPERATION.finditer(code):
                call = code[match.end() - 1:closing(code, match.end() - 1) + 1]
                if not ORDERS.search(call):
                    self.say(path, line_of(code, match.start()), "an atomic without its order")

    def ownership(self, path, code):
        if "detail" in path.parts:
            return
        for match in re.finditer(r"(?<!operator )\b(new|delete)\b", code):
            if not re.search(r"=\s*$", code[:match.start()]) or match[1] == "new":
                self.say(path, line_of(code, match.start()), f"`{match[1]}` outside detail/")

    def layers(self, layers):
        for path in self.files(["include"], ".hpp"):
            name = str(path.relative_to(self.include).with_suffix(""))
            row = layers.row(name)
            if row is None:
                self.say(path, 1, "in no row of tests/style/layers.txt")
                continue
            text = path.read_text()
            for match in INCLUDE.finditer(text):
                line, target = line_of(text, match.start()), match[2]
                below = self.named(path, match[1], target)
                if below is None:
                    self.fence(layers, path, name, line, target)
                elif (other := layers.row(below)) is not None and other > row:
                    rows = list(layers.rows)
                    self.say(path, line, f"row '{rows[row]}' includes {below}.hpp "
                                         f"of the higher row '{rows[other]}'")

    def named(self, path, bracket, target):
        """The included header's name below include/cairn, or None for somebody else's."""
        if target.startswith("cairn/"):
            return target.removeprefix("cairn/").removesuffix(".hpp")
        here = (path.parent / target).resolve()
        if bracket == '"' and here.is_relative_to(self.include.resolve()):
            return str(here.relative_to(self.include.resolve()).with_suffix(""))
        return None

    def fence(self, layers, path, name, line, target):
        for prefix, allowed in layers.fences:
            if target.startswith(prefix) and not any(fnmatchcase(name, p) for p in allowed):
                self.say(path, line, f"<{target}> is only for {', '.join(allowed)}")

    def tests(self):
        """Every public header has a test of its name; cairn.hpp has the consumers."""
        tests = {path.name for path in self.files(["tests"], ".cpp")}
        for path in self.files(["include"], ".hpp"):
            parts = path.relative_to(self.include).parts
            if "detail" not in parts and path.stem != "cairn":
                if f"{path.stem}_test.cpp" not in tests:
                    self.say(path, 1, f"has no tests/{path.stem}_test.cpp")


def main(arguments):
    if len(arguments) != 1 or not (Path(arguments[0]) / "include" / "cairn").is_dir():
        print("usage: check.py ROOT, where ROOT holds include/cairn", file=sys.stderr)
        return 2
    breaches = Check(Path(arguments[0]).resolve()).run()
    print("\n".join(breaches) or "style: clean")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
