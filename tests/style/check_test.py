#!/usr/bin/env python3
"""check.py finds each thing that it forbids, and nothing in a tree that keeps the rules."""
import tempfile
import unittest
from pathlib import Path

from check import Check

LAYERS = Path(__file__).with_name("layers.txt").read_text()
CLEAN = {
    "tests/style/layers.txt": LAYERS,
    "include/cairn/error.hpp": "#pragma once\n// new and delete: words, TEXT\n"
                               "struct e { e(const e&) = delete; int n = 1'000; };\n",
    "tests/error_test.cpp": "int x = '{';\n",
}


class Style(unittest.TestCase):
    def breaches(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**CLEAN, **files}.items():
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return Check(Path(folder).resolve()).run()

    def one(self, what, name, text, **more):
        found = self.breaches({name: text, **more})
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(name), found)
        self.assertIn(what, found[0])

    def header(self, what, body, name="include/cairn/error.hpp"):
        self.one(what, name, "#pragma once\n" + body)

    def test_clean(self):
        self.assertEqual(self.breaches({}), [])

    def test_long_file(self):
        self.header("400", "int x();\n" * 400)

    def test_wide_line(self):
        self.header("101 columns", "//" + "ü" * 99 + "\n")
        self.assertEqual(self.breaches({"tests/a.cpp": "//" + "ü" * 98 + "\n"}), [])

    def test_long_function(self):
        body = "  ;\n" * 70
        self.header("71 lines", "template <class T>\nvoid f() {\n" + body[8:] + "}\n")
        self.header("72 lines", "struct s {\n  void f() {\n" + body + "  }\n};\n")
        self.one("72 lines", "tests/a.cpp", 'TEST_CASE("a") {\n' + body + "}\n")
        long_class = "struct s {\n" + "  int x();\n" * 80 + "};\n"
        self.assertEqual(self.breaches({"tests/a.cpp": "namespace n {\n" + long_class + "}\n"}), [])

    def test_pragma(self):
        self.one("#pragma once", "include/cairn/error.hpp", "int x;\n")

    def test_macro(self):
        self.header("macro", "#define X 1\n")

    def test_ownership(self):
        self.header("`new`", "inline int* x = new int;\n")
        self.header("`delete`", "inline void f(int* p) { delete p; }\n")
        inside = "#pragma once\ninline int* x = new int;\n#define X\n"
        self.assertEqual(self.breaches({"include/cairn/detail/buffer.hpp": inside}), [])

    def test_atomic(self):
        atomic = "#include <atomic>\ninline int f(std::atomic<int>& a) { return a.load(%s); }\n"
        self.header("order", atomic % "")
        ordered = "#pragma once\n" + atomic % "std::memory_order_acquire"
        self.assertEqual(self.breaches({"include/cairn/error.hpp": ordered}), [])

    def test_layers(self):
        store = {"include/cairn/store.hpp": "#pragma once\n", "tests/store_test.cpp": ""}
        for target in ("<cairn/store.hpp>", '"store.hpp"'):
            self.one("'storing'", "include/cairn/error.hpp",
                     f"#pragma once\n#include {target}\n", **store)
        self.one("'storing'", "include/cairn/detail/frame.hpp",
                 '#pragma once\n#include "../store.hpp"\n', **store)
        self.header("no row", "", "include/cairn/detail/odd.hpp")

    def test_fences(self):
        self.header("only for", "#include <asio/io_context.hpp>\n")
        self.header("only for", "#include <cereal/archives/binary.hpp>\n")

    def test_missing_test(self):
        self.header("has no tests/ids_test.cpp", "", "include/cairn/ids.hpp")

    def test_left_overs(self):
        self.one("is left", "docs/a.md", "TO" "DO: later\n")


if __name__ == "__main__":
    unittest.main()
