#!/usr/bin/env python3
"""Faults that the proofs found in the server, each as small as it can be: none may come back."""

import os
import sys
import time

from faults import SOON, Case, message, prepare
from harness import Failed, Server, Tally, Unreachable, Work, arguments, need, rebuild

FIRST = 5  # number of the first message of the prepared folder


def secret(case):
    with open(os.path.join(case.state, "operator.secret")) as file:
        return {"X-Orchestrator-Operator": file.read()}


def an_erasure_that_failed_is_made_up_for(work, base, before):
    """The disk is full for one write, that of the erasure: what was announced as erased has to go at the restart."""
    case = Case(work, base, "erasure")
    with case.server(FAIL_OP="write", FAIL_AT=f"{before['write'] + 4}:ENOSPC").ready() as server:
        with server.client() as client:
            status, _ = client.call("DELETE", f"/messages/m{FIRST}", headers=secret(case))
        need(case.faults(), "the fault was never hit")
        need(server.stop() == 0, "the server did not end well")
    with Server(work, case.state).ready() as server:
        with server.client() as client:
            payload = client.must("GET", f"/messages/m{FIRST}")["message"]["payload"]
            degraded = client.must("GET", "/health")["degraded"]
    need(payload is None or status != 200, f"erasing answered {status}; after a restart the body is there, and "
                                           f"health says {degraded}")


def a_failed_flush_ends_an_idle_server(work, base, before):
    """The flush of an erasure fails and nobody asks for anything more: nothing may go on as if it were well."""
    case = Case(work, base, "idle")
    with case.server(FAIL_OP="fsync,fdatasync", FAIL_AT=f"{before['fsync,fdatasync'] + 4}:EIO").ready() as server:
        with server.client(timeout=SOON) as client:
            try:
                status, _ = client.call("DELETE", f"/messages/m{FIRST}", headers=secret(case))
            except Unreachable:
                status = None
            deadline = time.monotonic() + 3
            while server.process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
            alive = server.process.poll() is None
            need(not alive, f"erasing answered {status}, and 3 s later the server runs, "
                            f"{client.must('GET', '/health')['status'] if alive else ''}")


def new_folders_above_the_state_folder_are_flushed(work, *_):
    """The state folder's parents did not exist: their names have to be on the disk before anything is promised."""
    folder = work.folder("nested")
    root, log = os.path.join(folder, "root"), os.path.join(folder, "ops.log")
    os.mkdir(root)
    with Server(work, os.path.join(root, "a", "b", "state"), ops_log=log, ROOT=root).ready() as server:
        server.kill()
    timeline = rebuild.Timeline(rebuild.records(log))
    timeline.advance(len(timeline))
    need("a/b/state/log.db" in timeline.image(0), f"after a power loss there is only {sorted(timeline.image(0))}")


def an_erased_body_does_not_come_back_in_the_write_ahead_log(work, base, _):
    """After an erasure was acknowledged no file holds the body any more, after a power loss neither."""
    case = Case(work, base, "bytes")
    with case.server().ready() as server:
        with server.client() as client:
            body = message("w0", "w0-secret")
            body["payload"]["fill"] = "a word that nobody else says"
            number = client.must("POST", "/messages", body)["message_id"]
            client.must("DELETE", f"/messages/{number}", headers=secret(case))
        server.kill()
    timeline = rebuild.Timeline(rebuild.records(case.log), case.initial)
    timeline.advance(len(timeline))
    for seed in range(9):
        for path, entry in timeline.image(seed).items():
            need(b"a word that nobody else says" not in bytes(entry.content), f"seed {seed}: {path} holds it")


def a_stop_right_after_the_ready_line_is_orderly(work, *_):
    """Whoever reads the ready line may send SIGTERM at once."""
    codes = [Server(work, os.path.join(work.fast, "ready")).ready().stop() for _ in range(60)]
    need(set(codes) == {0}, f"of {len(codes)} starts {len(codes) - codes.count(0)} ended by the signal, unhandled")


def main():
    args = arguments(__doc__.splitlines()[0])
    tally = Tally()
    with Work(args) as work:
        base, before = prepare(work)
        for case in (an_erasure_that_failed_is_made_up_for, a_failed_flush_ends_an_idle_server,
                     new_folders_above_the_state_folder_are_flushed,
                     an_erased_body_does_not_come_back_in_the_write_ahead_log,
                     a_stop_right_after_the_ready_line_is_orderly):
            losses = []
            try:
                case(work, base, before)
            except Failed as error:
                losses.append(str(error))
            tally.report(case.__name__.replace("_", " "), 1, losses)
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
