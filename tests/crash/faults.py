#!/usr/bin/env python3
"""Proof: a disk that refuses or fails is met as documented.

A refusal (full disk, quota, read-only) halts the server: 503 with the cure, reads go on, nothing of what was refused
is kept, and it accepts again by itself once the cause is gone. A failed flush ends the process at once, because
nobody knows what reached the disk: nothing is tried again, and the next start has all that was acknowledged.
"""

import os
import shutil
import sys
import threading
import time

import load
from harness import (Failed, Server, Tally, Unreachable, Work, arguments, in_threads, need, rebuild, verify,
                     whole_inbox)

AGENTS = ["w0", "w1", "w2", "w3"]
REFUSALS = ("ENOSPC", "EDQUOT", "EROFS")
SOON = 10  # seconds for what the server has to do by itself
AT_START = 60  # operations of a first start


class Case:
    """One run of the server on a copy of a sound state folder, with a fault planned."""

    def __init__(self, work, base, name):
        self.work, self.folder = work, work.folder(name)
        self.state, self.log = os.path.join(self.folder, "state"), os.path.join(self.folder, "ops.log")
        self.initial, self.cured = os.path.join(self.folder, "initial"), os.path.join(self.folder, "cured")
        for copy in (self.state, self.initial):
            shutil.copytree(base, copy)
        self.kept, self.refused, self.unknown = {}, [], []  # key -> id; keys; keys
        self.lock = threading.Lock()

    def server(self, **shim):
        return Server(self.work, self.state, ops_log=self.log, extra=["--workers", "1"], **shim)

    def send(self, client, agent, number):
        """Sends one message; what the server said decides where the key is kept. Its status, or None."""
        key = f"{agent}-{number}"
        try:
            status, answer = client.call("POST", "/messages", message(agent, key))
        except Unreachable:
            with self.lock:
                self.unknown.append(key)
            return None
        with self.lock:
            if status == 200:
                self.kept[key] = int(answer["message_id"][1:])
            elif "never retry" in answer["detail"] or "the log failed" in answer["detail"]:
                self.unknown.append(key)
            else:
                need_refusal(status, answer)
                self.refused.append(key)
        return status

    def send_until_it_fails(self, server, first=0):
        def run(agent):
            with server.client(timeout=SOON) as client:
                number = first
                while self.send(client, agent, number) == 200:
                    number += 1
                    need(number < first + 500, "the fault was never hit")

        in_threads([lambda agent=agent: run(agent) for agent in AGENTS])

    def faults(self):
        return [record for record in rebuild.records(self.log) if record.op == "fault"]

    def check_after(self, again=()):
        """A start without faults: what was acknowledged is there once, what was refused is not."""
        verify(self.work, self.state)
        with Server(self.work, self.state, extra=["--workers", "1"]).ready() as server:
            with server.client() as client:
                stored = stored_keys(client)
            need(server.stop() == 0, "the server did not end well")
        for key, number in self.kept.items():
            need(stored.get(key) == [number], f"{key}, acknowledged as m{number}, is {stored.get(key)}")
        for key in set(self.refused) - set(again):
            need(key not in stored, f"{key} was refused and is {stored.get(key)}")
        for key in self.unknown:
            need(len(stored.get(key, ())) <= 1, f"{key} is stored twice: {stored.get(key)}")
        verify(self.work, self.state)


def message(agent, key):
    to = AGENTS[(AGENTS.index(agent) + 1) % len(AGENTS)]
    return {"from": agent, "to": to, "payload": {"key": key, "fill": "x" * 2000}, "idempotency_key": key}


def stored_keys(client):
    """{key: [ids]} of all that stands in the mailboxes."""
    found = {}
    for agent in AGENTS:
        for entry in whole_inbox(client, agent):
            found.setdefault(entry["payload"]["key"], []).append(int(entry["id"][1:]))
    return found


def need_refusal(status, answer):
    need(status == 503 and answer["code"] == "storage_unavailable", f"a refusal answered {status} {answer}")
    need(answer["hint"], "the refusal has no hint")


def prepare(work):
    """A state folder with agents and messages, ended in order; and how much it does to start from there."""
    base = os.path.join(work.folder("base"), "state")
    with Server(work, base).ready() as server:
        with server.client() as client:
            for agent in AGENTS:
                client.must("POST", "/agents/register", {"agent_id": agent})
            for agent in AGENTS:
                client.must("POST", "/messages", message(agent, f"{agent}-first"))
        need(server.stop() == 0, "the server did not end well")
    case = Case(work, base, "start")
    with case.server().ready() as server:
        server.kill()
    log = rebuild.records(case.log)
    return base, {kind: sum(record.op in kind.split(",") for record in log) for kind in ("write", "fsync,fdatasync")}


# ---- refusals


def refusal(work, base, writes, error, number, ending):
    """Writes fail from one on, until cured; `ending` is "cure" or "kill"."""
    case = Case(work, base, error)
    with case.server(FAIL_OP="write", FAIL_AT=f"{writes + number}:{error}", FAIL_UNTIL=case.cured).ready() as server:
        case.send_until_it_fails(server)
        need(case.refused and case.faults(), "nothing was refused")
        with server.client() as client:
            while_halted(client, case)
            if ending == "cure":
                cure(client, case)
                need(server.stop() == 0, "the server did not end well")
            else:
                server.kill()
    case.check_after(again=case.refused if ending == "cure" else ())


def while_halted(client, case):
    """Halted means: says so, with the cure; refuses every change; answers every read."""
    status, health = client.call("GET", "/health")
    need(status == 503 and health["status"] == "halted", f"health is {status} {health['status']}")
    cures = [entry for entry in health["degraded"] if entry["name"] == "storage"]
    need(cures and cures[0]["reason"] and cures[0]["cure"], f"health names no cure: {health}")
    changes = {
        "/agents/register": {"agent_id": "late"},
        "/agents/w0/status": {"status": "busy"},
        "/leases": {"agent_id": "w0", "resource": {"kind": "path", "value": "a.py"}, "mode": "exclusive"},
        "/messages": message("w0", "w0-halted"),
        "/agents/w1/inbox/claim": {"max": 1},
    }
    for path, body in changes.items():
        need_refusal(*client.call("POST", path, body))
    case.refused.append("w0-halted")
    need(len(client.must("GET", "/agents")["agents"]) == len(AGENTS), "the agents are others")
    need(client.must("GET", "/leases")["leases"] == [], "a refused lease stands")
    client.must("GET", "/events?after=0&limit=1000")
    client.must("GET", "/sync/status")
    stored = stored_keys(client)
    need(all(stored.get(key) == [number] for key, number in case.kept.items()), "a read while halted misses messages")
    need(not set(case.refused) & set(stored), "a read while halted shows what was refused")


def cure(client, case):
    """Without a restart it accepts again, and takes what it had refused."""
    open(case.cured, "w").close()
    deadline = time.monotonic() + SOON
    while client.call("GET", "/health")[0] != 200:
        need(time.monotonic() < deadline, f"still halted {SOON} s after the cause was gone")
        time.sleep(0.1)
    health = client.must("GET", "/health")
    need(health["status"] == "healthy", f"after the cure: {health}")
    for key in case.refused:
        answer = client.must("POST", "/messages", message(key.split("-")[0], key))
        case.kept[key] = int(answer["message_id"][1:])


# ---- failed flushes


def failed_flush(work, base, flushes, number):
    """One flush fails: the process ends by itself, and touches the log no more."""
    case = Case(work, base, "EIO")
    with case.server(FAIL_OP="fsync,fdatasync", FAIL_AT=f"{flushes + number}:EIO").ready() as server:
        case.send_until_it_fails(server)
        ends_by_itself(server)
    untouched_since_the_fault(case)
    power_loss_keeps(case)
    case.check_after()


def failed_copy(work, base, flushes, number):
    """A flush fails while the write-ahead log is copied, on behalf of an erasure."""
    case = Case(work, base, "EIO-copy")
    with case.server(FAIL_OP="fsync,fdatasync", FAIL_AT=f"{flushes + number}:EIO").ready() as server:
        with open(os.path.join(case.state, "operator.secret")) as file:
            secret = {"X-Orchestrator-Operator": file.read()}
        with server.client(timeout=SOON) as client:
            try:
                for at in range(50):
                    if case.send(client, "w0", at) != 200:
                        break
                    client.call("DELETE", f"/messages/m{5 + at % 4}", headers=secret)
            except Unreachable:
                pass
        ends_by_itself(server)
    untouched_since_the_fault(case)
    power_loss_keeps(case, erased=True)


def ends_by_itself(server):
    code = server.ended(SOON)
    need(code not in (0, -9), f"the process ended with {code}")
    need("start again" in server.said(), f"it did not say what to do: {server.said()}")


def untouched_since_the_fault(case):
    """Nothing is tried again: a flush that succeeds after one that failed proves nothing."""
    log = rebuild.records(case.log)
    faults = [record.seq for record in log if record.op == "fault"]
    need(len(faults) == 1, f"{len(faults)} faults were hit")
    later = [rebuild.describe(record) for record in log[faults[0]:] if not record.path.endswith("-shm")]
    need(not later, f"after the failed flush came: {later[:3]}")


def power_loss_keeps(case, erased=False):
    """Even a power loss right after keeps what was acknowledged."""
    timeline = rebuild.Timeline(rebuild.records(case.log), case.initial)
    timeline.advance(len(timeline))
    for seed in range(12):
        target = os.path.join(case.work.fast, "after")
        timeline.write(seed, target)
        view = load.stored(target)
        for key, number in case.kept.items():
            there = view.messages.get(number)
            need(there and (there["payload"] or erased and {"key": key})["key"] == key, f"seed {seed}: {key} is {there}")


# ---- starting


def failing_start(work, number, error):
    """One operation of a first start fails: it says so or goes on, and the next start works."""
    folder = work.folder("first")
    state, log = os.path.join(folder, "root", "state"), os.path.join(folder, "ops.log")
    os.mkdir(os.path.dirname(state))
    with Server(work, state, ops_log=log, ROOT=os.path.dirname(state), FAIL_AT=f"{number}:{error}") as server:
        try:
            server.ready()
        except Failed:
            need(server.process.returncode not in (0, -9, -11, -6), f"ended with {server.process.returncode}")
            need(server.said(), "it ended without a word")
        else:
            server.kill()
    hit = [rebuild.OPS[record.flags] for record in rebuild.records(log) if record.op == "fault"]
    Server(work, state).ready().kill()
    verify(work, state)
    shutil.rmtree(folder)
    return bool(hit)


# ---- the proof


def attempt(losses, name, call, *arguments):
    """Runs a case; a failure becomes a line."""
    try:
        return call(*arguments)
    except (Failed, Unreachable) as error:
        losses.append(f"{name}: {error}")


def main():
    args = arguments(__doc__.splitlines()[0], numbers=(3, 40))
    tally = Tally()
    with Work(args) as work:
        base, before = prepare(work)
        steps = range(1, 1 + 3 * args.numbers, 3)
        for error in REFUSALS:
            losses = []
            for at, number in enumerate(steps):
                for ending in ("cure", "kill"):
                    attempt(losses, f"write {number}, {ending}", refusal, work, base, before["write"], error, number, ending)
            tally.report(f"{error} on a write halts, and is cured", 2 * len(steps), losses)
        for name, case in (("a commit", failed_flush), ("commits, erasures and their copying", failed_copy)):
            losses = []
            for number in steps:
                attempt(losses, f"flush {number}", case, work, base, before["fsync,fdatasync"], number)
            tally.report(f"EIO on a flush of {name} ends the process", len(steps), losses)
        for error in ("ENOSPC", "EIO") if args.long else ("ENOSPC",):
            losses, hits = [], 0
            for number in range(1, AT_START):
                hits += bool(attempt(losses, f"operation {number}", failing_start, work, number, error))
            tally.report(f"{error} at any operation of a first start", hits, losses, minimum=50)
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
