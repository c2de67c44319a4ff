#!/usr/bin/env python3
"""Proof: what the server acknowledged survives a power loss at any moment.

The real server runs under the simulator in tests/powerloss, which records what it does to its state folder. From
that record the folders are built that a power loss could have left, at many moments and with many choices of what
of the unsynced data reached the disk. Each is looked at as a database, and many are given to the real server.

A run whose flushes do nothing is the control: there the same checks have to find losses.
"""

import collections
import multiprocessing
import os
import random
import shutil
import sys

import load
from harness import (Fact, Failed, Recorder, Server, Tally, Unreachable, Work, arguments, need, rebuild, verify)
from load import AGENTS, Promise, Worker

EACH = 20  # trials right before every kind of fault point
PROCESSES = max(2, os.cpu_count() or 2)
ASKED = 8  # messages asked for one by one, and keys sent again, at each start


class Run:
    """A recorded run: the operations, what the folder was before, and what was acknowledged when."""

    def __init__(self, work, name, initial=None, inherited=(), state="state"):
        self.work, self.name, self.state = work, name, state
        base = work.folder(name)
        self.log, self.initial = os.path.join(base, "ops.log"), initial
        # The folder of the state folder is recorded as well: the server makes the latter, and has to flush its name.
        self.root = os.path.join(base, "root")
        if initial:
            shutil.copytree(initial, self.root)
        else:
            os.mkdir(self.root)
        self.recorder = Recorder(self.log)
        self.recorder.facts += inherited
        self.secret_path = os.path.join(self.root, state, "operator.secret")

    def workers(self, seed, large=0.0):
        return [Worker(agent, self.recorder, seed, self.secret, large) for agent in AGENTS]

    def secret(self):
        with open(self.secret_path) as file:
            return file.read()

    def server(self, extra=(), **shim):
        """Starts the server under the shim; once it is ready its keys are promised, too."""
        began = self.recorder.count()
        state = os.path.join(self.root, self.state)
        server = Server(self.work, state, ops_log=self.log, extra=extra, ROOT=self.root, **shim).ready()
        with server.client() as client:
            key = client.must("GET", "/audit/key")["public_key"]
        self.recorder.add(began, self.recorder.count(), "keys", public=key, secret=self.secret())
        return server

    def session(self, workers, steps, end, extra=(), before=None):
        """Serves the workers, then ends: "kill" or "stop"."""
        with self.server(extra) as server:
            with server.client() as client:
                for worker in workers:
                    worker.register(client)
                if before:
                    before(client)
            load.drive(server, workers, steps)
            getattr(server, end)()
        if end == "stop":
            self.promise_head()

    def promise_head(self):
        """After a clean end the newest decision is signed, and has to be vouched for ever after."""
        copy = os.path.join(self.work.fast, "head")
        shutil.copytree(os.path.join(self.root, self.state), copy)
        count = self.recorder.count()
        self.recorder.add(count, count, "head", id=verify(self.work, copy))
        shutil.rmtree(copy)

    def timeline(self):
        return rebuild.Timeline(rebuild.records(self.log), self.initial)

    def check(self):
        """Nothing escaped the shim."""
        timeline = self.timeline()
        timeline.check(self.root)
        return timeline.log

    def ready_at(self):
        return min(fact.acknowledged for fact in self.recorder.facts if fact.kind == "keys" and fact.acknowledged)

    def facts_at(self, cut):
        """What a run that begins on a disk as it was at the cut has to keep."""
        kept = []
        for fact in self.recorder.facts:
            if fact.began <= cut:
                sure = fact.acknowledged is not None and fact.acknowledged <= cut
                kept.append(Fact(0, 0 if sure else None, fact.kind, fact.data))
        return kept


# ---- one image


class Trial:
    """Builds images of a run, one after another, and looks at them."""

    def __init__(self, run):
        self.run, self.timeline = run, run.timeline()
        self.target = os.path.join(run.work.fast, f"{run.name}-{os.getpid()}")
        self.state = os.path.join(self.target, run.state)

    def losses(self, cut, seed, start):
        """What is lost of what was acknowledged before the cut, as texts."""
        self.timeline.advance(cut)
        self.timeline.write(seed, self.target)
        promise = Promise(self.run.recorder.facts, cut)
        try:
            found = self.start(promise, cut, seed) if start else self.look(promise)
        except (Failed, Unreachable) as error:
            found = [str(error)]
        except Exception as error:  # a damaged database has many ways to say so
            found = [f"{type(error).__name__}: {error}"]
        return [f"{self.run.name}, cut {cut}, seed {seed}: {loss}" for loss in found]

    def look(self, promise):
        """The image as files and as a database."""
        found = []
        for keys in promise.sure.get("keys", ()):
            with open(os.path.join(self.state, "operator.secret")) as file:
                if file.read() != keys["secret"]:
                    found.append("the operator's secret is another one")
            need(os.path.getsize(os.path.join(self.state, "head.key")) > 0, "the key of the heads is empty")
        if not promise.sure:
            return found
        return found + load.losses(load.stored(self.state), promise)

    def start(self, promise, cut, seed):
        """The image under the real server: over HTTP, then as the audit sees it."""
        choice = random.Random(f"{cut}/{seed}")
        numbers = sorted(promise.messages)
        asked = set(choice.sample(numbers, min(ASKED, len(numbers))))
        if promise.sure:
            vouched = verify(self.run.work, self.state)
            for head in promise.sure.get("head", ()):
                need(vouched >= head["id"], f"vouched for up to {vouched}, it was {head['id']}")
        with Server(self.run.work, self.state, extra=["--workers", "1"]) as server:
            server.ready()
            if not promise.sure and seed % 5:
                return []  # nothing was promised but that the next start works
            with server.client() as client:
                found = self.keys(client, promise)
                found += load.losses(load.over_http(client, asked), promise, asked)
                found += load.event_losses(client, promise)
                found += load.resend_losses(client, promise, sorted(asked))
                self.goes_on(client)
                newest = client.must("GET", "/health")["seq"]
            need(server.stop() == 0, "the server did not end well")
        vouched = verify(self.run.work, self.state)
        need(vouched == newest, f"after a clean end the audit vouches for up to {vouched}, the newest is {newest}")
        return found

    @staticmethod
    def keys(client, promise):
        public = client.must("GET", "/audit/key")["public_key"]
        return ["the heads have another key" for keys in promise.sure.get("keys", ()) if keys["public"] != public]

    @staticmethod
    def goes_on(client):
        """A server that came back has to take new work."""
        client.must("POST", "/agents/register", {"agent_id": "later", "capabilities": []})
        client.must("POST", "/messages", {"from": "later", "to": "later", "payload": {"for": ["later"]}})


def look_at(trials):
    """Runs in a process of its own: [(cut, seed, start, losses)] of a piece of the trials."""
    trial = look_at.kind(look_at.run)
    return [(cut, seed, start, trial.losses(cut, seed, start)) for cut, seed, start in sorted(trials)]


def try_all(run, trials, kind=Trial):
    """All trials, spread over processes that are forked, so that they have the run."""
    trials = sorted(set(trials))
    size = len(trials) // (PROCESSES * 4) + 1
    pieces = [trials[at:at + size] for at in range(0, len(trials), size)]
    look_at.run, look_at.kind = run, kind
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        return [result for piece in pool.imap_unordered(look_at, pieces) for result in piece]


# ---- fault points


def role(path, state):
    """What a file of the state folder is for."""
    if path in ("", state):
        return "state folder" if path == state else "folder above"
    name = os.path.relpath(path, state)
    if name.startswith("cookies"):
        return "cookies" if name == "cookies" else "cookies/*"
    return name


def fault_points(log, state):
    """{kind: [record numbers]}: every kind of operation, with the file it concerns and what for."""
    points, wal = collections.defaultdict(list), False
    for record in log:
        name = role(record.path, state)
        if name.endswith("-shm") or record.op in ("mapped", "fault"):
            continue  # not kept over a power loss
        wal = wal or name == "log.db-wal"
        phase = " (checkpoint)" if wal and name == "log.db" else ""
        if wal and name == "log.db-wal" and record.op == "write":
            phase = " (header)" if record.offset == 0 else ""
        points[f"{record.op} {name}{phase}"].append(record.seq)
    return points


EXPECTED = (
    "mkdir state folder", "fsync folder above", "fsync state folder", "create log.db.lock", "create log.db",
    "create log.db-journal", "write log.db-journal", "fsync log.db-journal", "write log.db", "fsync log.db",
    "unlink log.db-journal", "create log.db-wal", "write log.db-wal (header)", "write log.db-wal", "fsync log.db-wal",
    "truncate log.db-wal", "write log.db (checkpoint)", "fsync log.db (checkpoint)", "truncate log.db (checkpoint)",
    "create head.key.new", "write head.key.new", "fsync head.key.new", "rename head.key.new", "create operator.tmp",
    "write operator.tmp", "fsync operator.tmp", "rename operator.tmp",
)


class Table:
    """How often each kind of fault point was hit, and cut right before."""

    def __init__(self, expected=EXPECTED):
        self.expected = expected
        self.hit, self.cut, self.lost = collections.Counter(), collections.Counter(), collections.Counter()

    def add(self, points, results):
        for kind, numbers in points.items():
            self.hit[kind] += len(numbers)
            before = {number - 1 for number in numbers}
            for cut, _, _, found in results:
                if cut in before:
                    self.cut[kind] += 1
                    self.lost[kind] += bool(found)

    def enough(self):
        """The kinds that need no more trials of their own."""
        return {kind for kind, cuts in self.cut.items() if cuts >= EACH}

    def report(self, tally):
        print(f"\n{'fault point':36}{'hit':>8}{'cuts':>8}{'losses':>8}")
        for kind in sorted(set(self.hit) | set(self.expected)):
            print(f"{kind:36}{self.hit[kind]:8}{self.cut[kind]:8}{self.lost[kind]:8}")
        print()
        missing = [kind for kind in self.expected if not self.hit[kind]]
        few = [f"{kind}: cut {self.cut[kind]} times, not {EACH}" for kind in self.hit if self.cut[kind] < EACH]
        tally.report(f"every fault point was hit, and cut {EACH} times", len(set(self.hit) | set(self.expected)),
                     [f"{kind} was never hit" for kind in missing] + few)


def choose(run, points, known, images, starts, seed):
    """Trials of a run: right before every kind of fault point that is not yet `known`, around acknowledgements and
    flushes, and at random."""
    choice = random.Random(f"{run.name}/{seed}")
    log = [record for numbers in points.values() for record in numbers]
    ready, end = run.ready_at(), max(log)
    trials = []
    for kind in points.keys() - known:
        numbers = points[kind]
        for at in range(EACH):
            number = numbers[-1 - at] if len(numbers) > at else choice.choice(numbers)
            number = choice.choice(numbers) if at % 2 else number
            # Before the first ready line nothing is promised but that the next start works: so start.
            trials.append((number - 1, at if len(numbers) == 1 else choice.randrange(40), number <= ready))
    told = sorted({fact.acknowledged for fact in run.recorder.facts if fact.acknowledged})
    flushes = [number for kind, numbers in points.items() if "fsync" in kind for number in numbers]
    near = told + flushes + [number - 1 for number in flushes]

    def cut():
        return min(end, choice.choice(near) if choice.random() < 0.7 else choice.randint(ready, end))

    trials += [(cut(), choice.randrange(40), False) for _ in range(images)]
    trials += [(cut(), choice.randrange(40), True) for _ in range(starts)]
    return trials


# ---- the proof


def ordinary(work, seed, steps):
    """A first start, load, a kill, recovery, load, a clean end, load, a kill."""
    run = Run(work, "ordinary")
    workers = run.workers(seed)
    for end in ("kill", "stop", "kill"):
        run.session(workers, steps, end)
    return run


def copying(work, seed, steps):
    """Large messages, until the write-ahead log is copied into the database while the server runs."""
    run = Run(work, "copying")
    run.session(run.workers(seed, large=0.8), steps, "kill")
    return run


def watching(work, seed, steps):
    """With the watcher on, which leaves files of its own in the state folder."""
    run = Run(work, "watching")
    run.session(run.workers(seed), steps, "kill", extra=["--watch"],
                before=lambda client: client.must("POST", "/sync/start"))
    return run


def again(work, before, seed, steps, number):
    """A run that begins on what a power loss left of another one: losses during and after recovery."""
    timeline = before.timeline()
    choice = random.Random(f"again/{number}/{seed}")
    cut = choice.randint(before.ready_at(), len(timeline))
    timeline.advance(cut)
    initial = os.path.join(work.folder("initial"), "root")
    timeline.write(choice.randrange(5, 40), initial)
    run = Run(work, f"again{number}", initial, before.facts_at(cut))
    workers = run.workers(f"{seed}/{number}")
    for worker in workers:
        worker.count = 100_000 * (number + 1)  # keys that were not used before
    run.session(workers, steps, "stop" if number % 2 else "kill")
    return run


def control(work, before, seed, images):
    """The same load on a sound folder, with flushes that do nothing: it has to lose acknowledged messages."""
    timeline, end = before.timeline(), len(before.check())
    timeline.advance(end)
    initial = os.path.join(work.folder("initial"), "root")
    timeline.write(rebuild.STYLES.index("all"), initial)
    run = Run(work, "control", initial, before.facts_at(end))
    workers = run.workers(f"{seed}/control")
    for worker in workers:
        worker.count = 10**6
    with run.server(IGNORE_SYNC=1) as server:
        load.drive(server, workers, 20)
        server.kill()
    end, choice = len(run.check()), random.Random(seed)
    trials = [(choice.randint(run.ready_at() + 1, end), choice.randrange(40), at % 5 == 0) for at in range(images)]
    return try_all(run, trials)


def report(tally, name, results, minimum):
    looked = [found for _, _, start, found in results if not start]
    started = [found for _, _, start, found in results if start]
    for what, trials in (("as a database", looked), ("under the server", started)):
        if trials:
            tally.report(f"{name}, {what}", len(trials), [found[0] for found in trials if found],
                         minimum=min(minimum, len(trials)))


def main():
    args = arguments(__doc__.splitlines()[0], images=(1200, 12000), starts=(60, 500), steps=(30, 60), runs=(2, 8))
    tally, table = Tally(), Table()
    with Work(args) as work:
        first = ordinary(work, args.seed, args.steps)
        runs = [(first, 1.0), (copying(work, args.seed, 50), 0.05), (watching(work, args.seed, args.steps // 2), 0.2)]
        runs += [(again(work, first, args.seed, args.steps // 2, number), 0.2) for number in range(args.runs)]
        for run, share in runs:
            log = run.check()
            points = fault_points(log, run.state)
            print(f"{run.name}: {len(log)} operations, {len(run.recorder.facts)} requests")
            images, starts = int(args.images * share), int(args.starts * share)
            results = try_all(run, choose(run, points, table.enough(), images, starts, args.seed))
            table.add(points, results)
            report(tally, run.name, results, images + starts)
        table.report(tally)
        results = control(work, first, args.seed, 100)
        for start, what in ((False, "as a database"), (True, "under the server")):
            trials = [found for _, _, started, found in results if started == start]
            lost = [found for found in trials if any("message m" in loss for loss in found)]
            tally.report(f"control, flushes do nothing, {what}", len(trials), [found[0] for found in lost], wanted=True)
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
