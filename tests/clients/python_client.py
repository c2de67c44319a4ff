#!/usr/bin/env python3
"""The documented Python sample and the two documented command lines, unmodified, against a live server.

Usage: python_client.py [http://localhost:8000]   (with a Python that has examples/python/requirements.txt installed)
The sample names its server, so that one must listen at localhost:8000.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "tests" / "seed"
CLIENT_FOLDER = ROOT / "examples" / "python"
PATIENCE = 20.0

passed = failed = 0


def check(name, good, seen=None):
    global passed, failed
    if good:
        passed += 1
        print(f"ok      {name}", flush=True)
    else:
        failed += 1
        print(f"FAILED  {name}" + ("" if seen is None else f": saw {seen!r}"), flush=True)
    return good


def call(method, path, body=None):
    """Answers (status, parsed body)."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{base}/api/orchestration{path}", data, {"Content-Type": "application/json"}, method=method
    )
    try:
        with opener.open(request, timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        text = error.read()
        try:
            return error.code, json.loads(text)
        except ValueError:
            return error.code, {"not JSON": text[:200].decode(errors="replace")}


def until(read, good):
    """Reads until `good(value)` or out of patience; answers the last value."""
    end = time.monotonic() + PATIENCE
    while True:
        value = read()
        if good(value) or time.monotonic() > end:
            return value
        time.sleep(0.05)


def agent(name):
    status, body = call("GET", f"/agents/{name}")
    return body.get("agent") if status == 200 else None


def events(kind):
    """All events of one kind, page after page."""
    found, after = [], 0
    while True:
        page = call("GET", f"/events?after={after}&limit=500")[1]
        found += [event for event in page.get("events", []) if event.get("type") == kind]
        if not page.get("events") or page["next"] <= after:
            return found
        after = page["next"]


def requests_for_help():
    messages = call("GET", "/agents/dev-agent/inbox?after=0")[1].get("messages", [])
    return [message for message in messages if message.get("payload", {}).get("action") == "request_help"]


class Program:
    """A process whose output goes to a file; killed at the latest when the checks end."""

    running = []

    def __init__(self, command, stdin=None):
        self.output = tempfile.NamedTemporaryFile("w+", prefix="python-client-", suffix=".log")
        environment = dict(os.environ, PATH=os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"])
        environment.update(PYTHONUNBUFFERED="1", PYTHONDONTWRITEBYTECODE="1")
        self.process = subprocess.Popen(
            command,
            cwd=CLIENT_FOLDER,
            env=environment,
            stdin=stdin or subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        Program.running.append(self)

    def text(self):
        return Path(self.output.name).read_text(errors="replace")

    def end(self, number):
        """Signals the whole group, as Ctrl-C in a terminal does, and answers the exit code."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            return self.process.wait()


def the_documented_sample():
    for name in ("my-agent", "dev-agent", "architect-agent"):
        call("DELETE", f"/agents/{name}")
    status, _ = call("POST", "/agents/register", {"agent_id": "dev-agent", "capabilities": ["python"]})
    check("dev-agent is registered over HTTP", status == 200, status)

    before = len(requests_for_help())
    with open(SEED / "python_sample.py", "rb") as sample:
        program = Program([sys.executable, "-"], stdin=sample)
    me = until(lambda: agent("my-agent"), lambda found: bool(found) and found["status"] == "busy")
    check("the Python sample registers my-agent", me is not None, program.text())
    me = me or {}
    check("its capabilities are listed", me.get("capabilities") == ["python", "backend"], me)
    check("its status is busy", me.get("status") == "busy", me)
    check("its task is listed", me.get("current_task") == "Implementing feature", me)
    check("its workload is 0.7", me.get("workload") == 0.7, me)
    listed = [one["agent_id"] for one in call("GET", "/agents")[1].get("agents", [])]
    check("the list of agents holds it", "my-agent" in listed, listed)

    changes = until(
        lambda: [
            change
            for change in call("GET", "/sync/changes")[1].get("changes", [])
            if change["file_path"] == "src/main.py" and change["agent_id"] == "my-agent"
        ],
        bool,
    )
    check("the change of src/main.py is listed", bool(changes), changes)
    check("it is listed as modified", any(change["change_type"] == "modified" for change in changes), changes)

    wanted = {"action": "request_help", "message": "Need assistance with database schema"}
    messages = until(lambda: requests_for_help()[before:], bool)
    check("dev-agent's inbox holds the message, once", len(messages) == 1, messages)
    check("it is the sample's payload", all(message["payload"] == wanted for message in messages), messages)
    check("it names its sender", all(message.get("from") == "my-agent" for message in messages), messages)

    registered = until(lambda: [e for e in events("agent_registered") if e.get("agent_id") == "my-agent"], bool)
    check("the feed shows the registration", bool(registered))
    updates = [e for e in events("agent_status_update") if e.get("agent_id") == "my-agent"]
    check("the feed shows the status", any(update.get("status") == "busy" for update in updates), updates)
    reported = [e for e in events("code_change_detected") if "src/main.py" in json.dumps(e)]
    check("the feed shows the change", bool(reported))
    check("the sample still runs", program.process.poll() is None, program.text())
    program.end(signal.SIGTERM)
    call("DELETE", "/agents/my-agent")


def documented_commands():
    text = (SEED / "agent_client_commands.txt").read_text().replace("\\\n", "\0")
    return [line.replace("\0", "\\\n") for line in text.splitlines()]


def the_documented_command_lines():
    expected = [
        ("dev-agent", ["python", "backend", "api"], "Implementing user authentication"),
        ("architect-agent", ["system-design", "scalability", "architecture"], "Designing microservices architecture"),
    ]
    commands = documented_commands()
    check("the founding document has two command lines", len(commands) == len(expected), commands)
    programs = []
    for command, (name, capabilities, task) in zip(commands, expected):
        program = Program(["bash", "-c", command])
        programs.append(program)
        found = until(lambda: agent(name), lambda found: bool(found) and found["current_task"] == task)
        check(f"{name}: the command line registers it with its capabilities",
              bool(found) and found["capabilities"] == capabilities, found or program.text())
        check(f"{name}: is active, with its task",
              bool(found) and found["status"] == "active" and found["current_task"] == task, found or program.text())

    earlier = until(programs[0].text, lambda printed: "request_help" in printed)
    check("dev-agent prints the message that waited for it", "request_help" in earlier, earlier)

    status, sent = call("POST", "/agents/architect-agent/message", {"action": "greet", "number": 1})
    check("a message to architect-agent is accepted", status == 200 and bool(sent.get("message_id")), sent)
    message = until(
        lambda: call("GET", f"/messages/{sent.get('message_id')}")[1].get("message", {}),
        lambda message: message.get("state") == "acknowledged",
    )
    check("architect-agent acknowledges it", message.get("state") == "acknowledged", message)
    printed = until(programs[1].text, lambda printed: '"greet"' in printed)
    check("architect-agent prints it", '"greet"' in printed, printed)
    call("POST", "/broadcast", {"notice": "hello all"})
    for program, (name, _, _) in zip(programs, expected):
        printed = until(program.text, lambda printed: "hello all" in printed)
        check(f"{name}: prints a broadcast", "hello all" in printed, printed)

    for program, (name, _, _), number in zip(programs, expected, (signal.SIGINT, signal.SIGTERM)):
        code = program.end(number)
        check(f"{name}: {number.name} ends it with exit code 0", code == 0, (code, program.text()))
        status, _ = until(lambda: call("GET", f"/agents/{name}"), lambda answer: answer[0] == 404)
        check(f"{name}: is gone from the list afterwards", status == 404, status)


def exit_codes():
    tool = [sys.executable, "tools/agent_client.py"]
    cases = [
        ("no --agent-id", [], 2),
        ("a workload above 1", ["--agent-id", "a", "--workload", "1.5"], 2),
        ("a workload that is no number", ["--agent-id", "a", "--workload", "nan"], 2),
        ("a base URL without a scheme", ["--agent-id", "a", "--base-url", "localhost:8000"], 2),
        ("an id the server refuses", ["--agent-id", "orchestrator"], 2),
        ("nobody at the base URL", ["--agent-id", "a", "--base-url", "http://localhost:1"], 6),
    ]
    for name, arguments, expected in cases:
        program = Program(tool + arguments)
        try:
            code = program.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            code = program.end(signal.SIGKILL)
        check(f"{name}: exit code {expected}", code == expected, (code, program.text()))


def main():
    global base, opener
    base = (sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8000").rstrip("/")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        the_documented_sample()
        the_documented_command_lines()
        exit_codes()
    except Exception as error:
        check("the checks run to their end", False, error)
    finally:
        for program in Program.running:
            program.end(signal.SIGKILL)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
