#!/usr/bin/env python3
"""alone.py INCLUDE FOLDER HEADER COMPILER ARGUMENTS…: compiles HEADER (cairn/….hpp, in INCLUDE) as
the first that a file includes, by clang.

What a header includes is compiled before it either way. So it may come from FOLDER as precompiled
header: that of a header which this one includes, itself or by others, holds nothing that this one has
not included, and most of what takes long. A lack of an include shows as without.
"""
import re
import subprocess
import sys
from pathlib import Path

# What is precompiled, the one that holds most last: few, as each takes as long as it saves a header.
BASES = ["cairn/detail/disk.hpp", "cairn/detail/cell.hpp", "cairn/detail/world.hpp",
         "cairn/detail/engine.hpp"]
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<(cairn/[^>]+)>)', re.MULTILINE)


def includes(include, header):
    """All headers of cairn that this one includes, and those that they do."""
    seen, todo = set(), [(include / header).resolve()]
    while todo:
        one = todo.pop()
        for beside, named in INCLUDE.findall(one.read_text()):
            other = (one.parent / beside if beside else include / named).resolve()
            if other not in seen and other.exists():
                seen.add(other)
                todo.append(other)
    return seen


def precompiled(include, folder, header):
    """The file of the largest base that this header may begin with, or None."""
    mine = includes(include, header)
    for base in reversed(BASES):
        one = (include / base).resolve()
        file = folder / (one.stem + ".pch")
        if one not in mine or not file.exists():
            continue
        its = includes(include, base) | {one}
        built = file.stat().st_mtime_ns
        # One that includes this header knows more than it; and an old one is of no use.
        if (include / header).resolve() not in its and \
                all(each.stat().st_mtime_ns < built for each in its):
            return file
    return None


def main():
    include, folder, header, *compiler = sys.argv[1:]
    include, folder = Path(include).resolve(), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    # A precompiled header has no end: nothing is instantiated that waits for one.
    command = [*compiler, "-x", "c++-header", "-Xclang", "-emit-pch", str(include / header), "-o"]
    if header in BASES:
        file = folder / (Path(header).stem + ".pch")
        file.unlink(missing_ok=True)
        return subprocess.run([*command, str(file)]).returncode
    base = precompiled(include, folder, header)
    if base:
        command[1:1] = ["-include-pch", str(base)]
    return subprocess.run([*command, "/dev/null"]).returncode


if __name__ == "__main__":
    sys.exit(main())
