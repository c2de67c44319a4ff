#!/usr/bin/env python3
"""The miner and the runner themselves, on a history made here. Needs git and Python; no network."""

import json
import os
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from split import split_file, tokens  # noqa: E402
from trial import READERS, required  # noqa: E402

START = "def area(w, h):\n    return w * h\n"
SOURCES = [
    START,
    START + "\n\ndef edge(w, h):\n    return 2 * (w + h)\n",
    START + "\n\ndef edge(w, h):\n    return 2 * (w + h)\n\n\ndef square(w):\n    return area(w, w)\n",
]
TESTS = ["shapes.area(2, 3) == 6", "shapes.edge(2, 3) == 10", "shapes.square(3) == 9"]
HEADER = """import atexit, sys
sys.path.insert(0, '.')
import shapes
out = open(sys.argv[1], 'w')
out.write('<all>')
atexit.register(lambda: (out.write('</all>'), out.close()))

def test(name, holds):
    try:
        good = holds()
    except AttributeError:
        good = False
    out.write(f"<testcase name='{name}'>{'' if good else '<failure/>'}</testcase>")

"""
# Stands for agent-client: takes both sides' insertions, ours first, as a candidate; never as an answer.
ENGINE = """#!/usr/bin/env python3
import sys, pathlib
base, ours, theirs = (pathlib.Path(name).read_text() for name in sys.argv[2:5])
folder = pathlib.Path(sys.argv[sys.argv.index("--candidates") + 1])
folder.mkdir()
(folder / "1.py").write_text(ours)
(folder / "2.py").write_text(ours + theirs[len(base):])
sys.exit(1)
"""


def git(folder, *arguments):
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@localhost", *arguments], cwd=folder, check=True,
                   capture_output=True, env={**os.environ, **own})


class Splitting(unittest.TestCase):
    def both(self, before, first, second, parent=None):
        parts = split_file(*(text.encode() for text in (before, first, parent or first, second)))
        return parts and tuple(part.decode() for part in parts)

    def test_insertions_at_one_place_come_apart(self):
        self.assertEqual(self.both("a\nz\n", "a\nx\nz\n", "a\nx\ny\nz\n"), ("a\nz\n", "a\nx\nz\n", "a\ny\nz\n"))

    def test_parameters_come_apart_within_a_line(self):
        self.assertEqual(self.both("def f(a):\n", "def f(a, b=1):\n", "def f(a, b=1, c=2):\n"),
                         ("def f(a):\n", "def f(a, b=1):\n", "def f(a, c=2):\n"))

    def test_what_builds_on_the_first_does_not_come_apart(self):
        self.assertIsNone(self.both("a\nz\n", "a\nlong = 1\nz\n", "a\nlong = 2\nz\n"))

    def test_a_change_between_the_two_stays_on_all_sides(self):
        self.assertEqual(self.both("a\nz\n", "a\nx\nz\n", "new\na\nx\nz\ny\n", "new\na\nx\nz\n"),
                         ("new\na\nz\n", "new\na\nx\nz\n", "new\na\nz\ny\n"))

    def test_a_new_file_is_on_its_side_only(self):
        self.assertEqual(split_file(None, b"x\n", b"x\n", b"x\n"), (None, b"x\n", None))
        self.assertEqual(split_file(None, None, None, b"x\n"), (None, None, b"x\n"))

    def test_tokens_are_the_text(self):
        text = b"a\r\n\tb  = \xff'c'\n\n"
        self.assertEqual(b"".join(tokens(text)), text)


class Reading(unittest.TestCase):
    def test_cargo(self):
        text = ("     Running unittests src/lib.rs (target/debug/deps/x-1)\ntest a::b ... ok\ntest c ... FAILED\n"
                "test d - should panic ... ok\ntest e ... ignored\n")
        self.assertEqual(READERS["cargo"](text, None, 1),
                         {"src/lib.rs::a::b": True, "src/lib.rs::c": False, "src/lib.rs::d": True})

    def test_go_build_that_fails_is_a_failed_run(self):
        text = '{"Action":"fail","Package":"p","Elapsed":0}\n'
        self.assertEqual(READERS["go"](text, None, 1), {"run": False})

    def test_a_printed_pointer_is_no_part_of_a_name(self):
        text = '{"Action":"pass","Package":"p","Test":"T/Has(0xc000012345)"}\n'
        self.assertEqual(READERS["go"](text, None, 0), {"p::T/Has(0x)": True})

    def test_what_a_merge_owes(self):
        base, ours, theirs = {"a": True, "b": True}, {"a": True, "b": True, "o": True}, {"a": True, "t": True}
        self.assertEqual(required(base, ours, theirs), {"a", "o", "t"})


class MineAndRun(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        project = self.folder / "mirrors" / "made" / "shapes"
        (project / "tests").mkdir(parents=True)
        git(project, "init", "-q", "-b", "main")
        for number, source in enumerate(SOURCES):
            (project / "shapes.py").write_text(source)
            names = [test.split("(")[0] for test in TESTS]
            cases = [f"# {name}:\n# {test}\ntest('{name}', lambda: {test})\n" for name, test in zip(names, TESTS)]
            (project / "tests" / "check.py").write_text(HEADER + "".join(cases[:number + 1]))
            git(project, "add", "-A")
            git(project, "commit", "-qm", f"step {number}")
        self.recipe = self.folder / "shapes.json"
        self.recipe.write_text(json.dumps({
            "repository": "https://localhost/made/shapes", "language": "python", "sources": [""],
            "tests": ["^tests/"], "endings": [".py"]}))
        commands = self.folder / "commands"
        commands.mkdir()
        (commands / "shapes.json").write_text(json.dumps({
            "install": "true", "test": f"{sys.executable} {{files}} {{report}}"}))
        self.engine = self.folder / "engine"
        self.engine.write_text(ENGINE)
        self.engine.chmod(self.engine.stat().st_mode | stat.S_IXUSR)

    def start(self, program, *arguments):
        places = [f"--{name}={self.folder / name}" for name in ("mirrors", "work", "commands")]
        done = subprocess.run([sys.executable, HERE / program, self.recipe, *places, *arguments],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_a_pair_is_found_checked_and_merged_by_the_gate(self):
        self.start("mine.py")
        (pair,) = json.loads(self.recipe.read_text())["pairs"]
        self.assertEqual(pair["kind"], "split")
        self.assertEqual(pair["files"], ["shapes.py"])
        self.assertEqual(pair["git_conflicts"], ["shapes.py", "tests/check.py"])
        self.assertEqual({side: new["names"] for side, new in pair["new_tests"].items()},
                         {"ours": ["None::shapes.edge"], "theirs": ["None::shapes.square"]})
        self.assertIn(": ok", self.start("run", "--check"))
        out = self.folder / "out.json"
        union = "git merge-file -q --union %A %O %B"
        self.start("run", f"--engine={self.engine}", f"--compare=union={union}", f"--json={out}",
                   f"--failures={self.folder / 'failures'}")
        (row,) = json.loads(out.read_text())
        self.assertEqual(row["answers"]["git"], "left")
        self.assertEqual(row["answers"]["clean"], "left")
        self.assertEqual(row["answers"]["union"], "passed")
        self.assertEqual(row["answers"]["gate, one answer"], "passed")
        self.assertEqual((row["candidates_tested"], row["candidates_passing"], row["first_passing"]), (4, 1, 4))
        self.assertTrue(row["as_expected"])


if __name__ == "__main__":
    unittest.main()
