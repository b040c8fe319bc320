#!/usr/bin/env python3
"""What scripts/* say and do where arguments are wrong or something is missing.

Each runs in a copy of the project's skeleton, and finds on its PATH stand-ins for what would
install, build and test; these write down how they were called.
"""
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
# What each is called with to do its work; but for the model that begins with a build.
WORK = {"demo": [], "test": [], "simulate": ["--seed", "1"], "fuzz": ["1"], "model": []}
BUILDERS = [name for name in WORK if name != "model"]
ALL = [*WORK, "bench", "plot"]
REAL = ("awk basename bash cat chmod cp dirname env grep head ln mkdir mktemp nproc rm sed sort "
        "tail tee tr").split()
STAND_INS = {
    # Everything is installed but what MISSING names.
    "dpkg-query": 'for last; do :; done\ncase " $MISSING " in *" $last "*) exit 1 ;; esac\n'
                  "printf installed",
    # Says APT_UPDATE or APT_INSTALL; fails where that is not empty.
    "apt-get": 'case "$*" in *" update") says=$APT_UPDATE ;; *) says=$APT_INSTALL ;; esac\n'
               'printf "%b" "$says"\n[ -z "$says" ]',
    "id": 'echo "$USER_ID"',
    "sudo": 'if [ -n "$SUDO_SAYS" ]; then echo "$SUDO_SAYS"; exit 1; fi\nexec "$@"',
    "cmake": 'case $1 in --preset) printf "%b" "$CMAKE_SAYS"; [ -z "$CMAKE_SAYS" ] || exit 1\n'
             'echo >"build/$2/build.ninja"; mkdir -p "build/$2/tests" "build/$2/benchmarks"\n'
             'echo "$CONTENDERS" >"build/$2/benchmarks/contenders.txt"\n'
             'for it in simulate fuzz; do ln -sf "$(command -v played)" "build/$2/tests/$it"; done '
             ';;\n'
             '*) printf "[1/1] built\\n%b" "$NINJA_SAYS"; [ -z "$NINJA_SAYS" ] ;; esac',
    "ctest": 'printf "%b" "$CTEST_SAYS"; [ -z "$CTEST_FAILS" ]',
    # NO_MATPLOTLIB: yes, until it is installed; never.
    "python3": 'case "$1$NO_MATPLOTLIB" in -cnever) exit 1 ;; '
               '-cyes) grep -q "^apt-get.* install " "$CALLS" ;; esac',
    "spin": 'echo "no model here"; exit 1', "gcc": "", "played": "",
}
CTEST_GOOD = "100% tests passed, 0 tests failed out of 3\\n"
CTEST_BAD = ("    Start 1: one\\n1/2 Test #1: one ...***Failed  0.01 sec\\nwhat it said\\n\\n"
             "    Start 2: two\\n2/2 Test #2: two ...   Passed  0.01 sec\\n\\n"
             "50% tests passed, 1 tests failed out of 2\\n\\n"
             "The following tests FAILED:\\n\\t  1 - one (Failed)\\n")
NO_NETWORK = "W: Failed to fetch http://x.org/InRelease  Temporary failure resolving 'x.org'\\n"


class Scripts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cairn-scripts-")
        self.addCleanup(folder.cleanup)
        self.root, self.path = Path(folder.name) / "cairn", Path(folder.name) / "bin"
        self.calls_file = Path(folder.name) / "calls"
        shutil.copytree(PROJECT / "scripts", self.root / "scripts")
        shutil.copytree(PROJECT / "docs" / "model", self.root / "docs" / "model")
        shutil.copytree(PROJECT / ".ci", self.root / ".ci")
        for name in ("CMakePresets.json", "README.md"):
            shutil.copy(PROJECT / name, self.root)
        self.path.mkdir()
        for name in REAL:
            (self.path / name).symlink_to(shutil.which(name))
        for name, body in STAND_INS.items():
            program = self.path / name
            program.write_text(f'#!/bin/sh\necho "{name} $*" >>"$CALLS"\n{body}\n')
            program.chmod(0o755)

    def without(self, *names):
        for name in names:
            (self.path / name).unlink()

    def run_it(self, name, *arguments, **environment):
        self.calls_file.write_text("")
        ended = subprocess.run(
            [self.root / ("scripts" if name != "run" else ".ci") / name, *arguments],
            cwd=self.path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
            env={"PATH": str(self.path), "CALLS": str(self.calls_file), "USER_ID": "0",
                 "CTEST_SAYS": CTEST_GOOD, **environment})
        self.calls = self.calls_file.read_text().splitlines()
        return ended

    def called(self, program):
        return [call for call in self.calls if call.startswith(program + " ")]

    def refused(self, ended, code, *texts):
        """It ended with that code, and one line that says why."""
        said = ended.stderr.splitlines()
        self.assertEqual(len(said), 1, ended)
        for text in texts:
            self.assertIn(text, said[0])
        self.assertNotIn(":  ", said[0])
        self.assertNotIn(": (", said[0])
        self.assertEqual(ended.returncode, code, ended)

    def test_wrong_arguments_are_refused_before_anything_is_done(self):
        for name in ALL:
            for arguments in (["--nonsense"], ["more"], ["--help", "more"], ["--trail"],
                              ["--trail", "NONE"], ["--seed"], ["--seed", "x"], ["--seeds", "1"],
                              ["--workload"], ["--seed", "1", "more"], [""], ["--runs"],
                              ["--runs", "0"], ["--runs", "x"], ["--runs", "--quick"],
                              ["--quick", "--growth"], ["--quick", "--runs", "2", "more"]):
                with self.subTest(name=name, arguments=arguments):
                    self.refused(self.run_it(name, *arguments), 2, name + ": ")
                    self.assertEqual(self.calls, [])
                    self.assertFalse((self.root / "build").exists())

    def test_ci_takes_no_arguments_and_keeps_what_is_built(self):
        (self.root / "build").mkdir()
        self.refused(self.run_it("run", "--help"), 2, "run: takes no arguments")
        self.assertTrue((self.root / "build").exists())

    def test_help_is_given_at_once(self):
        for name in ALL:
            for arguments in (["--help"], ["-h"]) + (([],) if name == "simulate" else ()):
                ended = self.run_it(name, *arguments)
                self.assertEqual((ended.returncode, ended.stderr), (0, ""))
                self.assertTrue(ended.stdout.startswith(f"usage: scripts/{name}"), ended)
                self.assertEqual(self.calls, [])

    def test_everything_is_there(self):
        for again in range(2):
            for name in BUILDERS:
                ended = self.run_it(name, *WORK[name])
                self.assertEqual((ended.returncode, ended.stderr), (0, ""), ended)
                self.assertEqual(self.called("apt-get"), [])
                preset = {"demo": "release", "fuzz": "fuzz"}.get(name)  # the first to want it
                self.assertEqual(self.called("cmake --preset"),
                                 [f"cmake --preset {preset}"] if preset and not again else [])
                self.assertEqual(len(self.called("cmake --build")), 1)
                self.assertLessEqual(len(ended.stdout.splitlines()), 4, ended)

    def test_each_ends_with_its_work(self):
        self.assertIn("100% tests passed", self.run_it("test").stdout)
        self.run_it("demo", "--seed", "7")
        self.assertIn("kill_and_resume.py", self.called("python3")[-1])
        self.assertTrue(self.called("python3")[-1].endswith("flights-20k.csv 7"), self.calls)
        self.run_it("simulate", "--seeds", "1..2", "--every-operation")
        self.assertEqual(self.called("played"), ["played --seeds 1..2 --every-operation"])

    def measured(self):
        (self.root / "build" / "release").mkdir(parents=True)
        (self.root / "build" / "release" / "bench.json").write_text("[]")

    def test_a_plot_needs_what_bench_writes(self):
        self.refused(self.run_it("plot"), 1,
                     "plot: there is no build/release/bench.json; run scripts/bench --growth")
        self.assertEqual(self.calls, [])

    def test_a_plot_installs_what_draws_where_it_is_missing(self):
        self.measured()
        draws = "python3 scripts/draw_plots.py build/release/bench.json docs/performance"
        for gone in ("", "yes"):
            ended = self.run_it("plot", NO_MATPLOTLIB=gone, MISSING="python3-matplotlib")
            self.assertEqual((ended.returncode, ended.stderr), (0, ""), ended)
            installs = [call for call in self.called("apt-get") if " install " in call]
            self.assertEqual([call.split()[-1] for call in installs],
                             ["python3-matplotlib"] if gone else [])
            self.assertEqual(self.calls[-1], draws)
        ended = self.run_it("plot", NO_MATPLOTLIB="yes", MISSING="python3-matplotlib",
                            APT_INSTALL=NO_NETWORK)
        self.refused(ended, 1, "plot: cannot install python3-matplotlib: the network: ")
        self.refused(self.run_it("plot", NO_MATPLOTLIB="never"), 1,
                     "plot: no python3 on the PATH has matplotlib")

    def test_points_of_curves_need_no_other_library(self):
        ended = self.run_it("bench", "--growth", MISSING="librocksdb-dev libcaf-dev")
        self.assertEqual((ended.returncode, ended.stderr), (0, ""), ended)
        self.assertEqual(self.called("apt-get"), [])
        built = self.called("cmake --build")[0].partition("--target ")[2].split()
        self.assertEqual(sorted(built), sorted(f"{question}_{contender}" for question in
                                               ("big", "epochs", "memory", "recovery", "ring")
                                               for contender in ("cairn", "floor")))
        self.assertEqual(self.calls[-1], "python3 scripts/run_benchmarks.py build/bench/benchmarks "
                                         "build/release/bench.json --growth")

    def test_others_are_looked_for_anew_each_time(self):
        fresh = "cmake --preset bench --fresh"
        for arguments in ([], [], ["--quick"], ["--growth"]):
            ended = self.run_it("bench", *arguments, CONTENDERS="caf 1.1.0")
            self.assertEqual((ended.returncode, ended.stderr), (0, ""), ended)
            self.assertEqual(self.called("cmake --preset"), [fresh])
            self.assertEqual(len(self.called("cmake --build")), 1)
        ended = self.run_it("bench", CONTENDERS="caf absent", MISSING="libcaf-dev")
        self.assertEqual((ended.returncode, self.called("cmake --preset")), (0, [fresh, fresh]))
        self.assertIn("installing: libcaf-dev", ended.stdout)
        ended = self.run_it("bench", CONTENDERS="caf absent", MISSING="libcaf-dev redis-tools",
                            APT_INSTALL=NO_NETWORK)
        self.assertEqual((ended.returncode, self.called("cmake --preset")), (0, [fresh]))
        self.assertIn("bench: cannot install libcaf-dev: the network: ", ended.stderr)

    def test_brief_rows_stand_by_themselves(self):
        for arguments, out in (([], "bench"), (["--growth"], "bench"), (["--quick"], "bench-quick"),
                               (["--runs", "2", "--quick"], "bench-quick")):
            ended = self.run_it("bench", *arguments, CONTENDERS="caf 1.1.0")
            self.assertEqual(ended.returncode, 0, ended)
            self.assertEqual(self.calls[-1].split()[:4],
                             ["python3", "scripts/run_benchmarks.py", "build/bench/benchmarks",
                              f"build/release/{out}.json"])

    def test_the_number_of_runs_is_handed_on(self):
        for arguments in (["--growth", "--runs", "5"], ["--runs", "5", "--growth"]):
            ended = self.run_it("bench", *arguments)
            self.assertEqual((ended.returncode, ended.stderr), (0, ""), ended)
            self.assertTrue(self.calls[-1].endswith("/bench.json --growth --runs 5"), self.calls)
        self.refused(self.run_it("bench", "--runs", "0"), 2,
                     "bench: --runs takes a number from 1 to 9999; see scripts/bench --help")

    def test_another_system_is_told_what_to_install(self):
        for gone in ("apt-get", "dpkg-query"):
            self.without(gone)
            for name in WORK:
                ended = self.run_it(name, *WORK[name])
                what = "spin gcc" if name == "model" else "libcereal-dev"
                self.refused(ended, 1, "no apt-get", what, "cmake" if name != "model" else "")
                self.assertEqual((self.calls, ended.stdout), ([], ""))

    def test_only_what_is_missing_is_installed(self):
        ended = self.run_it("test", MISSING="libfmt-dev catch2")
        self.assertEqual(ended.returncode, 0, ended)
        self.assertEqual(ended.stdout.splitlines()[0], "installing: libfmt-dev catch2")
        installs = [call for call in self.called("apt-get") if " install " in call]
        self.assertEqual(len(installs), 1)
        self.assertTrue(installs[0].endswith("--no-install-recommends libfmt-dev catch2"))
        self.assertEqual(self.called("sudo"), [])

    def test_without_root_sudo_is_asked(self):
        ended = self.run_it("test", MISSING="catch2", USER_ID="1000")
        self.assertEqual(ended.returncode, 0, ended)
        self.assertEqual(len(self.called("sudo")), 2)
        self.assertEqual(len(self.called("apt-get")), 2)

    def test_without_root_and_sudo_it_is_said_what_to_install(self):
        self.without("sudo")
        for name in WORK:
            package = "spin" if name == "model" else "catch2"
            ended = self.run_it(name, *WORK[name], MISSING=package, USER_ID="1000")
            self.refused(ended, 1, f"not root and no sudo; install as root: {package}")
            self.assertEqual((self.called("apt-get"), ended.stdout), ([], ""))
        ended = self.run_it("test", USER_ID="1000")  # nothing is missing: nobody is needed
        self.assertEqual(ended.returncode, 0, ended)

    def test_why_apt_failed_is_said(self):
        cases = {
            ("", "E: Failed to fetch http://x.org/catch2_2.deb  Temporary failure resolving "
             "'x.org'\\nE: Unable to fetch some archives, maybe run apt-get update?\\n"):
                "the network: Temporary failure resolving 'x.org'",
            (NO_NETWORK, "E: Unable to locate package catch2\\n"):
                "the network: Temporary failure resolving 'x.org'",
            ("", "E: Unable to locate package catch2\\n"): "Unable to locate package catch2",
            (NO_NETWORK, "E: Could not get lock /var/lib/dpkg/lock\\n"):
                "Could not get lock /var/lib/dpkg/lock",
            ("", "Reading\\nsomething else\\n"): "something else",
        }
        for (update, install), why in cases.items():
            for name in WORK:
                package = "spin" if name == "model" else "catch2"
                ended = self.run_it(name, *WORK[name], MISSING=package, APT_UPDATE=update,
                                    APT_INSTALL=install)
                self.refused(ended, 1, f"{name}: cannot install {package}: {why} "
                                       "(see build/install.log)")
                self.assertEqual(self.called("cmake"), [])

    def test_old_lists_do_not_stop_an_installation(self):
        ended = self.run_it("test", MISSING="catch2", APT_UPDATE=NO_NETWORK)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""), ended)

    def test_a_sudo_that_refuses_is_named(self):
        ended = self.run_it("test", MISSING="catch2", USER_ID="1000",
                            SUDO_SAYS="sudo: a password is required")
        self.refused(ended, 1, "cannot install catch2: sudo: a password is required")

    def test_where_it_cannot_write_it_says_so(self):
        (self.root / "build").write_text("")
        for name in BUILDERS:
            self.refused(self.run_it(name, *WORK[name]), 1, "cannot write in ", "/build")
        self.refused(self.run_it("model", MISSING="spin"), 1, "cannot write in ", "/build")

    def test_why_cmake_failed_is_said(self):
        cases = {
            "-- Found A\\nCMake Error at CMakeLists.txt:18 (message):\\n  cairn needs g++ 12.2 or "
            "later, not 11.4.0\\n\\n\\n-- Configuring incomplete, errors occurred!\\n":
                "cairn needs g++ 12.2 or later, not 11.4.0",
            "CMake Error at CMakeLists.txt:1 (cmake_minimum_required):\\n  CMake 3.24 or higher is "
            "required.  You are running version\\n  3.18.4\\n\\n\\nmore\\n":
                "CMake 3.24 or higher is required. You are running version 3.18.4",
            "CMake Error: Could not read presets\\n": "CMake Error: Could not read presets",
            "something else\\n": "something else",
        }
        for says, why in cases.items():
            for name in BUILDERS:
                ended = self.run_it(name, *WORK[name], CMAKE_SAYS=says)
                folder = f"build/{'fuzz' if name == 'fuzz' else 'release'}"
                self.refused(ended, 1, f"{name}: cannot configure {folder}: {why} "
                                       f"(see {folder}/configure.log)")
                self.assertEqual(self.called("cmake --build"), [])

    def test_a_build_that_fails_shows_where(self):
        ended = self.run_it("demo", NINJA_SAYS="FAILED: x.o\\nx.cpp:1: error: no\\n")
        said = ended.stderr.splitlines()
        self.assertEqual(said[:2], ["FAILED: x.o", "x.cpp:1: error: no"])
        self.assertEqual(said[2:], ["demo: the build failed (see build/release/build.log)"])
        self.assertEqual((ended.returncode, self.called("python3")), (1, []))

    def test_tests_that_fail_are_shown_and_named(self):
        ended = self.run_it("test", CTEST_SAYS=CTEST_BAD, CTEST_FAILS="yes")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("what it said", ended.stderr)
        self.assertIn("1 - one (Failed)", ended.stderr)
        self.assertNotIn("two ...", ended.stderr)
        self.assertIn("50% tests passed", ended.stdout)
        self.assertEqual(ended.stderr.splitlines()[-1],
                         "test: tests failed (see build/release/test.log)")

    def test_the_model_says_what_its_tool_said(self):
        self.refused(self.run_it("model", "--trail", "M_EPHEMERAL_WITHOUT_EPOCH"), 1,
                     "spin: no model here")

    def test_the_kills_say_what_is_wrong_with_the_program(self):
        def kills(*arguments):
            return subprocess.run([sys.executable, PROJECT / "scripts" / "kill_and_resume.py",
                                   *arguments], capture_output=True, text=True, timeout=120)

        for arguments in ((), ("one",), ("one", "two", "three"), ("one", "two", "3", "four")):
            self.refused(kills(*arguments), 2, "usage: kill_and_resume.py FLIGHTS INPUT.csv")
        self.refused(kills("/none", "x.csv"), 1, "demo: /none: No such file or directory")
        self.refused(kills("/bin/false", "x.csv"), 1, "demo: exit code 1", "it said nothing")
        self.refused(kills("/bin/true", "x.csv"), 1, "demo: ", "it said nothing")


if __name__ == "__main__":
    unittest.main()
