#!/usr/bin/env python3
"""Proof: kept work, once its record is in the log, survives a power loss at any moment.

The real server runs under the simulator in tests/powerloss, which records what it does to the whole git folder of the
project: the log, `work.git` with its packs and refs, and the pins in the project's own refs. Two agents edit, their
work is kept, restored, let go of by the retention, and the server is killed in the middle of it. From the record the
folders are built that a power loss could have left; git and the real server look at them.

A run whose flushes do nothing is the control: there the same checks have to find losses.
"""

import collections
import contextlib
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import time

import powerloss
from harness import Client, Failed, Recorder, Server, Tally, Unreachable, Work, arguments, clean_environment, need, rebuild

AGENTS = ("ann", "bob")
FILES = [f"src/part{number % 3}/file{number}.txt" for number in range(9)]
NEWEST = 4  # snapshots of each agent that the retention leaves
PATIENCE = 30
STATE = "repo/.git/orchestrator"
STORE = STATE + "/work.git"
SETTINGS = "[bus]\nenabled = false\n\n[snapshots]\nquiet_milliseconds = 50\ninterval_seconds = 1\nnewest = %d\n"

EXPECTED = tuple(
    f"{op} {name}" for names, ops in (
        (("new pack", "new index"), ("create", "write", "fsync", "rename")),
        (("refs/work/*.lock", "refs/backup/*.lock", "new pin"), ("create", "write", "fsync", "rename")),
        (("objects/pack", "refs/work", "refs/backup", "pins"), ("fsync",)),
        (("refs/work/*", "pack", "index"), ("unlink",)),
        (("work.git", "objects", "objects/pack", "refs", "refs/work", "refs/backup"), ("mkdir",)),
    ) for name in names for op in ops)


def git(folder, *words, check=True):
    """What git says, as bytes."""
    env = dict(clean_environment(), GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1", GIT_OPTIONAL_LOCKS="0",
               GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@localhost", GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a@localhost")
    done = subprocess.run(["git", *words], cwd=folder, env=env, capture_output=True, timeout=60)
    if check and done.returncode:
        raise Failed(f"git {' '.join(words)}: {(done.stdout + done.stderr).decode(errors='replace')[-300:]}")
    return done.stdout


def listing(store, commit):
    """All files of a commit as git lists them: path, mode and the hash of the content."""
    return git(store, "ls-tree", "-r", "-z", commit)


def content(store, commit):
    """All files of a commit: {path: (mode, bytes)}."""
    listed = [entry.split(b"\t", 1) for entry in listing(store, commit).split(b"\0") if entry]
    return {path.decode(): (head.split()[0].decode(), git(store, "cat-file", "blob", head.split()[2].decode()))
            for head, path in listed}


class Run(powerloss.Run):
    """A recorded run over the git folder of a project with two worktrees, which themselves lie outside."""

    def __init__(self, work, name):
        self.work, self.name, self.state = work, name, STATE
        self.base = work.folder(name)
        self.log, self.root = os.path.join(self.base, "ops.log"), os.path.join(self.base, "root")
        work.repo = os.path.join(self.root, "repo")
        os.makedirs(work.repo)
        git(work.repo, "init", "--quiet", "--template=", "-b", "main")
        self.write(work.repo, "orchestrator.toml", SETTINGS % NEWEST)
        for path in FILES:
            self.write(work.repo, path, f"{path}\n" * 20)
        git(work.repo, "add", "-A")
        git(work.repo, "commit", "--quiet", "-m", "base")
        self.folders = {agent: os.path.join(self.base, "agents", agent) for agent in AGENTS}
        for agent, folder in self.folders.items():
            git(work.repo, "worktree", "add", "--quiet", "-b", agent, folder)
        self.initial = os.path.join(self.base, "initial")
        shutil.copytree(self.root, self.initial, symlinks=True)
        self.recorder = Recorder(self.log)
        self.secret_path = os.path.join(self.root, STATE, "operator.secret")
        self.contents, self.listings, self.random = {}, {}, random.Random(name)

    @staticmethod
    def write(folder, path, text):
        full = os.path.join(folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w") as file:
            file.write(text)

    def follow(self, client):
        for agent, folder in self.folders.items():
            client.must("POST", "/agents/register", {"agent_id": agent, "workspace": folder})
        client.must("POST", "/command", {"command": "*sync:force"})

    def edit(self, agent):
        """Some of what agents do to files."""
        folder = self.folders[agent]
        for path in self.random.sample(FILES, self.random.randint(1, 3)):
            full, kind = os.path.join(folder, path), self.random.random()
            if kind < 0.1 and os.path.exists(full):
                os.unlink(full)
            else:
                self.write(folder, path, "".join(f"{agent} {self.random.random()}\n" for _ in range(30)))
                os.chmod(full, 0o755 if kind > 0.9 else 0o644)
        if self.random.random() < 0.3:
            self.write(folder, f"new/{self.random.randrange(5)}.txt", f"{self.random.random()}\n")

    def look(self, client):
        """Notes what the server says is kept, with its content; answers with the newest of each agent."""
        newest, store = {}, os.path.join(self.root, STORE)
        for agent in AGENTS:
            for shown in client.must("GET", f"/agents/{agent}/snapshots")["snapshots"]:
                number, count = int(shown["snapshot_id"][1:]), self.recorder.count()
                newest.setdefault(agent, shown)
                if number not in self.contents:
                    need(shown["available"], f"{shown['snapshot_id']} is told and not there")
                    self.contents[number] = content(store, shown["commit"])
                    self.listings[number] = listing(store, shown["commit"])
                    self.recorder.add(count, count, "kept", number=number, agent=agent)
        return newest

    def until_kept(self, client, agent):
        """Waits until an agent's work is kept as it stands in its folder."""
        wanted, began = standing(self.folders[agent]), time.monotonic()
        while time.monotonic() - began < PATIENCE:
            newest = self.look(client).get(agent)
            if newest and self.contents[int(newest["snapshot_id"][1:])] == wanted:
                return
            time.sleep(0.02)
        raise Failed(f"the work of {agent} is not kept after {PATIENCE} s")

    def step(self, client):
        agent = self.random.choice(AGENTS)
        self.edit(agent)
        client.must("POST", "/command", {"command": "*sync:force"})
        if self.random.random() < 0.25 and self.contents:
            # What stands there becomes a backup before.
            listed = client.must("GET", f"/agents/{agent}/snapshots")["snapshots"]
            if listed:
                chosen = self.random.choice(listed)["snapshot_id"]
                client.must("POST", f"/agents/{agent}/restore", {"snapshot": chosen})
        self.until_kept(client, agent)

    def session(self, steps, end, **shim):
        """Edits and restores, then the end: "kill", "stop", or a kill by the shim in the middle of it."""
        with self.server(**shim) as server, contextlib.suppress(Unreachable if end == "shim" else ()):
            with server.client() as client:
                self.follow(client)
                for _ in range(steps):
                    self.step(client)
            need(end != "shim", "the shim did not kill it")
            getattr(server, end)()

    def server(self, extra=(), **shim):
        began = self.recorder.count()
        server = Server(self.work, os.path.join(self.root, STATE), ops_log=self.log, extra=extra, ROOT=self.root, **shim)
        server.ready()
        self.recorder.add(began, self.recorder.count(), "keys")
        return server

    def killed_at(self, steps, op):
        """A session that the shim ends at one of the next operations of a kind in the store."""
        done = sum(record.op == op for record in rebuild.records(self.log))
        with contextlib.suppress(Failed):  # killed before it was ready
            self.session(steps, "shim", KILL_OP=op, KILL_AT=done + self.random.randint(15, 60))


def standing(folder):
    """What stands in a workspace: {path: (mode, bytes)}."""
    found = {}
    for where, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        for name in files:
            full = os.path.join(where, name)
            path = os.path.relpath(full, folder)
            if path != ".git":
                with open(full, "rb") as file:
                    found[path] = ("100755" if os.stat(full).st_mode & 0o100 else "100644", file.read())
    return found


def recorded(state):
    """The snapshots that a log says are kept: {number: record}; and the numbers of those it let go."""
    kept, dropped = {}, set()
    with contextlib.closing(sqlite3.connect(os.path.join(state, "log.db"), isolation_level=None)) as database:
        for seq, facts in database.execute("SELECT seq, facts FROM decisions ORDER BY seq"):
            for number, event in enumerate(json.loads(facts), seq):
                fact = event.get("snapshots") if isinstance(event, dict) else None
                if not isinstance(fact, dict):
                    continue
                kind, data = next(iter(fact.items()))
                if kind in ("kept", "restored"):
                    kept[number] = data if kind == "kept" else data["backup"]
                elif kind == "dropped":
                    dropped |= {(one, kept.pop(one)["name"])[0] for one in data["snapshots"]}
    return kept, dropped


class Trial(powerloss.Trial):
    """Builds images of a run and looks at what they hold of the work."""

    def __init__(self, run):
        super().__init__(run)
        self.store = os.path.join(self.target, STORE)

    def losses(self, cut, seed, start):
        self.timeline.advance(cut)
        self.timeline.write(seed, self.target)
        facts = [fact for fact in self.run.recorder.facts if fact.kind == "kept" and fact.acknowledged <= cut]
        try:
            found = self.under_the_server(facts, cut, seed) if start else self.with_git(facts)
        except (Failed, Unreachable) as error:
            found = [str(error)]
        except Exception as error:  # damage has many ways to say so
            found = [f"{type(error).__name__}: {error}"]
        return [f"{self.run.name}, cut {cut}, seed {seed}: {loss}" for loss in found]

    def kept(self, facts):
        """What the log of the image says, and what of the acknowledged it does not know."""
        if not os.path.exists(os.path.join(self.state, "log.db")):
            return {}, [f"the log is gone, with snapshot {fact.data['number']}" for fact in facts[:1]]
        try:
            kept, dropped = recorded(self.state)
        except sqlite3.OperationalError:
            need(not facts, "the log has no tables")
            return {}, []
        known = kept.keys() | dropped
        return kept, [f"snapshot {fact.data['number']} is not in the log" for fact in facts
                      if fact.data["number"] not in known]

    def with_git(self, facts):
        """Every recorded snapshot has its ref, its commit and its exact content, and nothing that refs reach is missing."""
        kept, found = self.kept(facts)
        if not os.path.exists(os.path.join(self.store, "HEAD")):
            return found + [f"the store is gone, with {record['name']}" for record in list(kept.values())[:1]]
        # Each object that is there has the content that its hash says, and none that a ref leads to is missing.
        git(self.store, "fsck", "--strict", "--no-dangling", "--no-progress")
        refs = dict(line.decode().split() for line in git(
            self.store, "for-each-ref", "--format=%(refname) %(objectname)").splitlines())
        for number, record in kept.items():
            commit = refs.get(record["name"])
            if commit is None:
                found.append(f"the ref of snapshot {number} is gone: {record['name']}")
            elif record["commit"] not in (None, commit):
                found.append(f"the ref of snapshot {number} is {commit}, not {record['commit']}")
            elif number in self.run.listings and listing(self.store, commit) != self.run.listings[number]:
                found.append(f"snapshot {number} has another content")
            base = record.get("base")
            if base and not self.is_pinned(base):
                found.append(f"what snapshot {number} stands on is not pinned")
        return found

    def is_pinned(self, base):
        """Whether the project's own refs hold a commit against its garbage collection."""
        with contextlib.suppress(FileNotFoundError):
            with open(os.path.join(self.target, "repo/.git/refs/orchestrator/base", f"kept-{base}")) as file:
                return file.read().strip() == base
        return False

    def under_the_server(self, facts, cut, seed):
        """The image in the project's place: the server starts, knows every snapshot, and restores some."""
        choice = random.Random(f"{cut}/{seed}")
        kept, found = self.kept(facts)
        Run.write(os.path.join(self.target, "repo"), "orchestrator.toml", SETTINGS % 1000)
        away = self.run.root + ".away"
        os.rename(self.run.root, away)
        os.symlink(self.target, self.run.root)
        try:
            with Server(self.run.work, os.path.join(self.run.root, STATE), extra=["--workers", "1"]) as server:
                server.ready()
                with server.client() as client:
                    self.run.follow(client)
                    found += self.restored(client, kept, choice)
                    for agent in AGENTS:  # it goes on
                        self.run.write(self.run.folders[agent], "on.txt", f"{choice.random()}")
                        client.must("POST", "/command", {"command": "*sync:force"})
                    self.goes_on(client)
                need(server.stop() == 0, "the server did not end well")
            git(self.store, "fsck", "--strict", "--no-dangling", "--no-progress")
        finally:
            os.unlink(self.run.root)
            os.rename(away, self.run.root)
        return found

    def restored(self, client, kept, choice):
        found, shown = [], {}
        for agent in AGENTS:
            listed = client.must("GET", f"/agents/{agent}/snapshots")["snapshots"]
            shown.update({int(one["snapshot_id"][1:]): (agent, one) for one in listed})
        found += [f"snapshot {number} is not listed" for number in kept if number not in shown]
        found += [f"snapshot {number} is not available" for number, (_, one) in shown.items() if not one["available"]]
        told = {one["name"] for one in client.must("GET", "/health")["degraded"]}
        found += ["the server says that snapshots are lost"] if "snapshot_lost" in told else []
        able = sorted(number for number in kept if number in self.run.contents and number in shown)
        for number in choice.sample(able, min(3, len(able))):
            agent, one = shown[number]
            client.must("POST", f"/agents/{agent}/restore", {"snapshot": one["snapshot_id"]})
            if standing(self.run.folders[agent]) != self.run.contents[number]:
                found.append(f"snapshot {number} came back with another content")
        return found

    def goes_on(self, client):
        """What is edited after the start is kept."""
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE:
            listed = [client.must("GET", f"/agents/{agent}/snapshots")["snapshots"] for agent in AGENTS]
            if all(one and one[0]["reason"] == "quiet" and content(self.store, one[0]["commit"]) ==
                   standing(self.run.folders[agent]) for agent, one in zip(AGENTS, listed)):
                return
            time.sleep(0.05)
        raise Failed("new work is not kept")


ROLES = (
    (r".*/orchestrator/work\.git", "work.git"),
    (r".*/work\.git/objects/pack/tmp_snapshot_.*_pack", "new pack"),
    (r".*/work\.git/objects/pack/tmp_snapshot_.*_idx", "new index"),
    (r".*/work\.git/objects/pack/pack-.*\.pack", "pack"),
    (r".*/work\.git/objects/pack/pack-.*\.idx", "index"),
    (r".*/work\.git/(refs/\w+)/.*\.lock", r"\1/*.lock"),
    (r".*/work\.git/(refs/\w+)/.*", r"\1/*"),
    (r".*/work\.git/(.*)", r"\1"),
    (r".*/orchestrator/tmp-[^/]*", "new pin"),
    (r".*/refs/orchestrator/base/.*\.lock", "pins/*.lock"),
    (r".*/refs/orchestrator/base/.*", "pins/*"),
    (r".*/refs/orchestrator/base", "pins"),
    (r".*/refs/orchestrator", "folder of the pins"),
)


def fault_points(log):
    """{kind: [record numbers]} of what is done in the store, and to the pins."""
    points = collections.defaultdict(list)
    for record in log:
        for pattern, name in ROLES:
            found = re.fullmatch(pattern, record.path)
            if found and record.op not in ("mapped", "fault"):
                points[f"{record.op} {found.expand(name)}"].append(record.seq)
            if found:
                break
    return points


def choose(run, points, images, seed):
    """Cuts right before every kind of fault point, and around acknowledgements and flushes."""
    choice, trials = random.Random(f"{run.name}/{seed}"), []
    for numbers in points.values():
        for at in range(powerloss.EACH):
            number = numbers[-1 - at] if at % 2 and len(numbers) > at else choice.choice(numbers)
            trials.append((number - 1, 2 * at + choice.randrange(2), False))  # no seed twice
    told = [fact.acknowledged for fact in run.recorder.facts]
    flushes = [number - at for kind, numbers in points.items() if "fsync" in kind for number in numbers for at in (0, 1)]
    return trials + [(choice.choice(told + flushes), choice.randrange(40), False) for _ in range(images)]


def ordinary(work, steps):
    """A first start, edits, kills in between and in the middle of it, ends in order, and the retention at each start."""
    run = Run(work, "work")
    run.session(steps, "kill")
    for op in ("rename", "fsync", "fsync", "rename"):
        run.killed_at(steps * 3, op)
    run.session(steps, "stop")
    run.session(steps // 2, "kill")
    return run


def control(work, steps, images, seed):
    """The same with flushes that do nothing: it has to lose work."""
    run = Run(work, "control")
    with run.server(IGNORE_SYNC=1) as server:
        with server.client() as client:
            run.follow(client)
            for _ in range(steps):
                run.step(client)
        server.kill()
    end, choice = len(run.check()), random.Random(seed)
    trials = [(choice.randint(end // 2, end), choice.randrange(40), False) for _ in range(images)]
    return powerloss.try_all(run, trials, Trial)


def main():
    args = arguments(__doc__.splitlines()[0], images=(500, 6000), starts=(12, 120), steps=(10, 40))
    tally, table = Tally(), powerloss.Table(EXPECTED)
    with Work(args) as work:
        run = ordinary(work, args.steps)
        points = fault_points(run.check())
        print(f"{run.name}: {len(run.timeline())} operations, {len(run.contents)} snapshots")
        results = powerloss.try_all(run, choose(run, points, args.images, args.seed), Trial)
        table.add(points, results)
        powerloss.report(tally, "kept work, as git sees it", results, args.images)
        choice, trial = random.Random(args.seed), Trial(run)
        cuts = sorted(choice.sample(range(run.ready_at(), len(run.timeline())), args.starts))
        started = [(cut, seed, True, trial.losses(cut, seed, True)) for cut in cuts for seed in [choice.randrange(40)]]
        powerloss.report(tally, "kept work", started, args.starts)
        table.report(tally)
        lost = [found for *_, found in control(work, args.steps, 100, args.seed)]
        tally.report("control, flushes do nothing", len(lost), [found[0] for found in lost if found], wanted=True)
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
