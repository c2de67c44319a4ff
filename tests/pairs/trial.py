"""Runs a project's tests on a tree, once: what a tree answered is kept by tree, command and files."""

import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

RAN = re.compile(r"^test (\S+)(?: - should panic)? \.\.\. (\w+)", re.MULTILINE)
ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
TARGET = re.compile(r"Running (?:unittests )?(\S+) \(")


class Commands:
    """How a project's tests run: `install` and `test` (shell), `report`, `links`, `environment`, `always`."""

    def __init__(self, data, language):
        self.install = data.get("install", "")
        self.test = data["test"]
        self.report = data.get("report", {"rust": "cargo", "go": "go"}.get(language, "junit"))
        self.links = data.get("links", {})
        self.environment = data.get("environment", {})
        self.seconds = data.get("seconds", 180)


def target(path):
    """The option with which cargo runs the tests of a file."""
    parts = Path(path).parts
    if "tests" in parts[:-1]:
        name = parts[parts.index("tests") + 1]
        if "src" not in parts[:parts.index("tests")]:
            return f"--test {name.removesuffix('.rs')}"
    return "--lib"


class Trials:
    """Test runs of one project, in one checkout, one at a time on the machine."""

    def __init__(self, store, work, name, commands, unstable=None):
        self.unstable = re.compile(unstable) if unstable else None
        self.store, self.commands, self.seconds = store, commands, commands.seconds
        self.work = Path(work).resolve()
        self.checkout = self.work / "checkouts" / name
        self.tools = self.work / "tools" / name
        self.results = self.work / "results" / name
        self.runs = 0

    def install(self):
        """Runs the install command, where it has not run yet."""
        mark = self.tools / ".installed"
        if mark.exists() and mark.read_text() == self.commands.install:
            return
        self.tools.mkdir(parents=True, exist_ok=True)
        subprocess.run(self.commands.install, shell=True, check=True, cwd=self.tools, env=self.environment())
        mark.write_text(self.commands.install)

    def environment(self):
        own = {key: value.replace("{tools}", str(self.tools)).replace("{work}", str(self.work))
               .replace("{checkout}", str(self.checkout)) for key, value in self.commands.environment.items()}
        return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "CI": "1", "NO_COLOR": "1", "FORCE_COLOR": "0", **own}

    def lay(self, tree):
        """Makes the checkout hold this tree and nothing else but links to tools; only changed files are written."""
        new = not self.checkout.exists()
        self.checkout.mkdir(parents=True, exist_ok=True)
        index = self.checkout.with_suffix(".index")
        if new:
            index.unlink(missing_ok=True)
        work_tree = f"--work-tree={self.checkout}"
        for link in self.commands.links:
            path = self.checkout / link
            if path.is_symlink():
                path.unlink()
        self.store.git(work_tree, "read-tree", "--reset", "-u", tree, index=index)
        self.store.git(work_tree, "clean", "-ffdxq", "-e", "Cargo.lock", index=index)
        for link, place in self.commands.links.items():
            path = self.checkout / link
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_symlink():
                path.unlink()
            elif path.exists():
                shutil.rmtree(path)
            path.symlink_to(self.tools / place)

    def run(self, tree, files):
        """Test name to whether it passed. A build or a collection that fails is the test `run`, failed."""
        result = self.outcome(tree, files)
        return {name: passed for name, passed in result.items() if not (self.unstable and self.unstable.search(name))}

    def outcome(self, tree, files):
        """What a run said, or an earlier run on the same tree."""
        paths = [path for path in sorted(files) if self.store.blob(tree, path) is not None]
        if not paths:
            return {}  # a command without files would run them all
        key = hashlib.sha256(json.dumps([tree, self.commands.test, paths]).encode()).hexdigest()[:32]
        kept = self.results / f"{key}.json"
        if kept.exists():
            return json.loads(kept.read_text())
        self.runs += 1
        self.results.mkdir(parents=True, exist_ok=True)
        with open(self.work / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.lay(tree)
            result = self.start(paths)
        kept.write_text(json.dumps(result, indent=0, sort_keys=True))
        return result

    def start(self, paths):
        report = self.work / f"report.{os.getpid()}"
        report.unlink(missing_ok=True)
        quoted = {"files": paths, "folders": sorted({"./" + str(Path(path).parent) for path in paths})}
        words = {name: " ".join(map(shlex.quote, values)) for name, values in quoted.items()}
        words["targets"] = " ".join(sorted({target(path) for path in paths}))
        words |= {"report": str(report), "tools": str(self.tools), "work": str(self.work)}
        command = self.commands.test
        for name, word in words.items():
            command = command.replace("{" + name + "}", word)
        process = subprocess.Popen(["bash", "-c", command], cwd=self.checkout,
                                   env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        try:
            output, _ = process.communicate(timeout=self.seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return {"run": False}
        text = output.decode(errors="replace")
        self.last = text
        try:
            result = READERS[self.commands.report](text, report, process.returncode)
        except (OSError, ValueError, KeyError, ElementTree.ParseError):
            result = {}
        finally:
            report.unlink(missing_ok=True)
        if not result or (process.returncode and all(result.values())):
            result["run"] = False
        return result


def note(result, name, passed):
    name = ADDRESS.sub("0x", name)  # made of printed pointers, it would be another in each run
    result[name] = result.get(name, True) and passed


def read_junit(_text, report, _code):
    result = {}
    for case in ElementTree.parse(report).iter("testcase"):
        if case.find("skipped") is None:
            failed = case.find("failure") is not None or case.find("error") is not None
            note(result, f"{case.get('classname')}::{case.get('name')}", not failed)
    return result


def read_jest(_text, report, _code):
    result = {}
    for file in json.loads(report.read_text())["testResults"]:
        if not file["assertionResults"] and file["status"] == "failed":
            note(result, "run", False)
        for case in file["assertionResults"]:
            if case["status"] in ("passed", "failed"):
                note(result, case["fullName"], case["status"] == "passed")
    return result


def read_go(text, _report, _code):
    result = {}
    for line in text.splitlines():
        if line.startswith("{"):
            event = json.loads(line)
            if event.get("Action") in ("pass", "fail") and "Test" in event:
                note(result, f"{event['Package']}::{event['Test']}", event["Action"] == "pass")
            elif event.get("Action") == "fail" and "Elapsed" in event and event["Package"] not in " ".join(result):
                note(result, "run", False)
    return result


def read_cargo(text, _report, _code):
    result, at = {}, ""
    for line in text.splitlines():
        if found := TARGET.search(line):
            at = found[1]
        elif (found := RAN.match(line)) and found[2] in ("ok", "FAILED"):
            note(result, f"{at}::{found[1]}", found[2] == "ok")
    return result


def read_exit(_text, _report, code):
    return {"run": code == 0}


READERS = {"junit": read_junit, "jest": read_jest, "go": read_go, "cargo": read_cargo, "exit": read_exit}


def passing(result):
    return {name for name, passed in result.items() if passed}


def required(base, ours, theirs):
    """The tests a merge owes: what is new on a side, and what passes on all three."""
    base, ours, theirs = passing(base), passing(ours), passing(theirs)
    return (base & ours & theirs) | (ours - base) | (theirs - base)
