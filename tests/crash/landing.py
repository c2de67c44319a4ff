#!/usr/bin/env python3
"""Proof: `kill -9` in the middle of landings lands nothing wrong, loses nothing and holds nothing up.

Agents change their files and ask for landings; a person commits to the branch and edits in the folder that has it checked
out, also while the server is dead; the server is killed while it merges, while gates run, while the branch moves, and while
it starts. After each start the queue goes on within seconds. In the end `landed.py` asks git alone what became of it all.
"""

import collections
import contextlib
import datetime
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time

from harness import Client, Server, Tally, Unreachable, Work, all_events, arguments, in_threads, need
from kill9 import free_port
from landed import CHECKS, CLASH, LIST, OPEN, Edit, History, Seen, attempt, git, landed, planted

AGENTS = ["ann", "bob", "cy"]
SOON = 5  # seconds in which a killed server's successor is at work again, and what it left is cleared
FEW, SHORT = 10, 25  # kills of the usual run, and seconds that they may take
PATIENCE = 120  # seconds for what has to come by itself
OWNER = b"orchestrator lock\n"
MOMENTS = {"any": 2, "answered": 2, "gating": 2, "moving": 4, "moved": 4, "starting": 1}


class World:
    """The repository, and what everybody knows."""

    def __init__(self, work, port):
        self.work, self.repo, self.port = work, work.repo, port
        self.mark = f"landing-{os.getpid()}-{port}"
        self.begun, self.passed = (os.path.join(work.path, name) for name in ("begun", "passed"))
        self.running, self.answers, self.over, self.said = True, 0, 0, str
        self.receipts, self.losses = {}, collections.defaultdict(list)
        git(self.repo, "symbolic-ref", "HEAD", "refs/heads/main")
        # Packs are put together while the server works, as a person's git does it now and then.
        for key, value in (("gc.autoPackLimit", "30"), ("gc.autoDetach", "false"), ("core.hooksPath", os.devnull)):
            git(self.repo, "config", key, value)
        self.write("orchestrator.toml", self.gates())
        self.write(LIST, "".join(f"{name} 0\n--\n--\n--\n" for name in [*AGENTS, "person"]))
        self.write(CLASH, "nobody\n")
        git(self.repo, "add", "-A")
        git(self.repo, "commit", "-qm", "base")

    def write(self, path, text):
        with open(os.path.join(self.repo, path), "w") as file:
            file.write(text)

    def gates(self):
        seen = (f"export LANDING_GATE={self.mark}; echo >> {self.begun}; setsid sleep 60 & "
                "it=$(find . -type f | LC_ALL=C sort | xargs sha1sum | sha1sum | cut -c 1-40); "
                f"sleep $(shuf -e -n 1 0 0.02 0.1 0.3); echo $it >> {self.passed}")
        nobad = "! ls | grep -q ^bad-"
        gate = "[[gates]]\nname = '{}'\nrun = ['sh', '-c', '{}', '{}']\n"
        return gate.format("seen", seen, self.mark) + gate.format("nobad", nobad, self.mark)

    def harvest(self, merges):
        """Takes receipts. What was over stays as it was."""
        for one in merges:
            old = self.receipts.get(one["merge_id"])
            if old and old["state"] not in OPEN and (old["state"], old["commit"]) != (one["state"], one["commit"]):
                self.losses["over"].append(f"{one['merge_id']} was {old['state']} {old['commit']}, is {one['state']} {one['commit']}")
            self.receipts[one["merge_id"]] = one


# ---- those who work


class Agent:
    """Edits in its workspace, asks for a landing, waits for its end, and takes the branch over."""

    def __init__(self, world, name, seed):
        self.world, self.name, self.random = world, name, random.Random(f"{name}/{seed}")
        self.edits, self.later, self.checked = [], {}, 0

    def run(self):
        with Client(self.world.port, timeout=20) as client:
            self.client = client
            self.until_answered("POST", "/agents/register", {"agent_id": self.name})
            self.folder = self.until_answered("POST", f"/agents/{self.name}/workspace", {})["workspace"]["path"]
            while self.world.running:
                self.edit()

    def until_answered(self, method, path, body=None):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                status, answer = self.client.call(method, path, body)
            except Unreachable:
                time.sleep(0.02)
                continue
            if status == 200:
                return answer
            if status == 404 and answer["code"] == "unknown_agent":
                self.client.must("POST", "/agents/register", {"agent_id": self.name})
            else:
                need(status == 503 and answer["code"] == "shutting_down", f"{path} answered {status}: {answer}; {self.world.said()}")
        need(False, f"{path} was not answered for {PATIENCE} s")

    def edit(self):
        edit = Edit(self.name, len(self.edits) + 1)
        if not self.take_over():
            return
        self.edits.append(edit)
        self.change(edit)
        number = len(self.edits)
        self.ask(edit)
        if self.random.random() < 0.4:  # work that goes on belongs to the next landing, not to this one
            self.later = {f"later/{self.name}-{number}": f"later {number}\n".encode()}
            self.put(self.later)
        self.wait(edit)
        self.check({**edit.files, **self.later})

    def take_over(self):
        """Begins anew from the newest; False when it is all over before the branches are put together."""
        while (tip := ahead(self.world.repo)) is None:
            if not self.world.running:
                return False
            time.sleep(0.05)
        git(self.folder, "reset", "-q", "--hard", tip)
        git(self.folder, "clean", "-fdq")
        return True

    def change(self, edit):
        number, chance = len(self.edits), self.random.random
        edit.files = {f"own/{self.name}.txt": f"{edit.name}\n".encode() * self.random.randint(1, 2000), **self.later}
        new = f"new/{self.name}-{number % 4}"
        if chance() < 0.5:
            is_there = os.path.exists(os.path.join(self.folder, new))
            edit.files[new] = None if is_there and chance() < 0.5 else f"new by {edit.name}\n".encode()
        if chance() < 0.15:
            edit.files[CLASH] = f"{edit.name}\n".encode()
        if chance() < 0.12:
            edit.is_bad, edit.files[f"bad-{self.name}"] = True, b"bad\n"
        self.put(edit.files)
        self.later = {}
        if chance() < 0.4:
            path = os.path.join(self.folder, LIST)
            with open(path) as file:
                lines = file.read().splitlines()
            at = next(at for at, line in enumerate(lines) if line.startswith(self.name))
            lines[at] = edit.entry = f"{self.name} {number}"
            edit.entry = edit.entry.encode()
            self.put({LIST: "".join(line + "\n" for line in lines).encode()})

    def put(self, files):
        for path, content in files.items():
            path = os.path.join(self.folder, path)
            if content is None:
                os.remove(path)
                continue
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content)

    def ask(self, edit):
        answer = self.until_answered("POST", "/merges", {"agent_id": self.name, "message": edit.name})
        edit.answered.append(answer["merge"]["merge_id"])
        self.world.answers += 1

    def wait(self, edit):
        """For its end. What waits for the person's folder for long is taken out, and so is some other now and then."""
        patience = time.monotonic() + (self.random.uniform(0, 0.5) if self.random.random() < 0.05 else 2.0)
        deadline = time.monotonic() + PATIENCE
        while True:
            merge = self.until_answered("GET", f"/merges/{edit.answered[0]}")["merge"]
            if merge["state"] not in OPEN:
                self.world.over += 1
                return self.world.harvest([merge])
            if time.monotonic() > patience and (merge["state"] == "waiting" or patience < deadline - PATIENCE + 1):
                edit.is_cancelled = True
                self.cancel(edit.answered[0])
            need(time.monotonic() < deadline, f"{merge['merge_id']} is {merge['state']} for {PATIENCE} s: {merge['reason']}")
            time.sleep(0.03)

    def cancel(self, merge):
        try:
            status, answer = self.client.call("POST", f"/merges/{merge}/cancel", {})
            need(status in (200, 409, 503), f"cancelling {merge} answered {status}: {answer}")
        except Unreachable:
            pass

    def check(self, files):
        """What the agent wrote stands as it wrote it."""
        for path, content in files.items():
            self.checked += 1
            found = read(os.path.join(self.folder, path))
            if found != content:
                self.world.losses["work"].append(f"{self.name}: {path} is {found and found[:60]}")


def ahead(repo):
    """The commit of the branch, or of the one beside it that is ahead of it; None when they have parted."""
    names = ("refs/heads/main", "refs/heads/orchestrator/main")
    tips = git(repo, "for-each-ref", "--format=%(objectname)", *names).split()
    is_in = [attempt(repo, "merge-base", "--is-ancestor", tips[0], tip)[0] == 0 for tip in tips]
    if all(is_in):
        return tips[-1]
    return tips[0] if attempt(repo, "merge-base", "--is-ancestor", tips[1], tips[0])[0] == 0 else None


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


class Person:
    """Works in the folder that has the branch checked out, whatever the server does."""

    def __init__(self, world, seed):
        self.world, self.random, self.lock = world, random.Random(f"person/{seed}"), threading.RLock()
        self.edits, self.commits, self.tried = {}, {}, {}  # uncommitted: path -> bytes; message -> files
        self.number = self.refused = self.checked = self.merges = 0

    def run(self):
        while self.world.running:
            time.sleep(self.random.uniform(0.05, 0.4))
            self.act()

    def act(self):
        with self.lock:
            self.check()
            act = self.random.choices((self.write, self.commit, self.hinder, self.change_list, self.clean), (3, 5, 1, 1, 6))[0]
            act()

    def path(self, path):
        return os.path.join(self.world.repo, path)

    def check(self):
        for path, content in self.edits.items():
            self.checked += 1
            found = read(self.path(path))
            if found != content:
                self.world.losses["work"].append(f"the person's {path} is {found and found[:60]}, was {content[:60]}")
                self.edits[path] = found or b""

    def place(self, path, content, replace=False):
        """As an editor saves: whole, in one step. Nothing is replaced unless it was read."""
        whole = os.path.join(self.world.work.path, "person-saves")
        with open(whole, "xb") as file:
            file.write(content)
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        with contextlib.suppress(FileExistsError):
            (os.replace if replace else os.link)(whole, self.path(path))
            self.edits[path] = content
        with contextlib.suppress(FileNotFoundError):
            os.remove(whole)

    def write(self):
        self.number += 1
        self.place(f"person/{self.number}", f"person {self.number}\n".encode() * 20)

    def hinder(self):
        """A file where an agent's is to come."""
        self.place(f"new/{self.random.choice(AGENTS)}-{self.random.randrange(4)}", b"the person's own\n")

    def change_list(self):
        lines = read(self.path(LIST)).decode().splitlines(keepends=True)
        self.number += 1
        lines = [f"person {self.number}\n" if line.startswith("person") else line for line in lines]
        self.place(LIST, "".join(lines).encode(), replace=True)

    def commit(self):
        """Only what is the person's own alone. One try: git may find a lock, or that the branch moved."""
        self.write()
        if ahead(self.world.repo) != git(self.world.repo, "rev-parse", "refs/heads/main") and self.random.random() < 0.8:
            return  # on another branch than that which is ahead; only now and then they part
        own = {path: content for path, content in self.edits.items() if path.startswith("person/")}
        self.number += 1
        message = f"person {self.number}"
        self.tried[message] = own
        added = attempt(self.world.repo, "add", "--", *own)[0] == 0
        if added and attempt(self.world.repo, "commit", "-q", "-m", message)[0] == 0:
            self.commits[message] = own
            self.edits = {path: content for path, content in self.edits.items() if path not in own}
        else:
            self.refused += 1

    def clean(self):
        """Takes back what is in anybody's way."""
        for path in [path for path in self.edits if not path.startswith("person/")]:
            if git(self.world.repo, "ls-files", "--", path) and attempt(self.world.repo, "checkout", "-q", "--", path)[0] == 0:
                del self.edits[path]
            elif not git(self.world.repo, "ls-files", "--", path):
                os.remove(self.path(path))
                del self.edits[path]

    def merge(self):
        """Puts the two branches together where they have parted. Only while no server moves them."""
        self.clean()
        if attempt(self.world.repo, "rev-parse", "-q", "--verify", "refs/heads/orchestrator/main")[0] == 0:
            code, out, err = attempt(self.world.repo, "merge", "-q", "-m", f"person merge {self.number}", "orchestrator/main")
            self.merges += code == 0
            if code and attempt(self.world.repo, "merge", "--abort")[0] == 0:
                self.world.losses["parted"].append(f"the branches cannot be put together: {out.decode()}{err}")
            return err if code else ""
        return ""

    def status(self):
        """What git says is changed, but is not the person's."""
        with self.lock:
            _, out, _ = attempt(self.world.repo, "--no-optional-locks", "status", "--porcelain", "-uall", "--no-renames", "-z")
            return [line for line in out.decode().split("\0") if line and line[3:] not in self.edits]


# ---- the one who kills


class Killer:
    """Kills the server at chosen moments, and looks at what its successor makes of it."""

    def __init__(self, world, person, state, seed):
        self.world, self.person, self.state, self.random = world, person, state, random.Random(f"killer/{seed}")
        self.kills, self.times, self.server = collections.Counter(), [], None
        self.longest = collections.Counter()
        self.configs = {name: os.path.join(world.work.path, f"{name}.toml") for name in ("branch", "wait")}
        for name, path in self.configs.items():
            with open(path, "w") as file:
                file.write(f"[landing]\ndirty = '{name}'\nside_by_side = 2\nbatch = 3\n")

    def start(self, dirty=None):
        self.dirty = dirty or self.random.choice(("branch", "branch", "wait"))
        self.begun = time.monotonic()
        self.server = Server(self.world.work, self.state, bind=f"127.0.0.1:{self.world.port}", extra=("--config", self.configs[self.dirty]))

    def moment(self, kind):
        """Comes when it is there, or after a while."""
        world = self.world

        def wait_for(change, patience=3):
            until = time.monotonic() + patience
            while not change() and time.monotonic() < until:
                time.sleep(0.0005)

        over = world.over
        wait_for(lambda: world.over != over)
        if kind == "answered":
            before = world.answers
            wait_for(lambda: world.answers != before)
            time.sleep(self.random.uniform(0, 0.005))
        elif kind == "gating":
            before = size(world.begun)
            wait_for(lambda: size(world.begun) != before)
            time.sleep(self.random.uniform(0, 0.3))
        elif kind == "moving":
            locks = [os.path.join(world.repo, ".git", name) for name in ("index.lock", "refs/heads/main.lock")]
            lock = self.random.choice(locks)
            wait_for(lambda: os.path.exists(lock))
            time.sleep(self.random.choice((0, self.random.uniform(0, 0.004), self.random.uniform(0, 0.03))))
        elif kind == "moved":
            branch = os.path.join(world.repo, ".git", "refs", "heads", "main")
            before, commits = read(branch), len(self.person.commits)
            wait_for(lambda: read(branch) != before and len(self.person.commits) == commits)
            time.sleep(self.random.choice((0, self.random.uniform(0, 0.02))))
        else:
            time.sleep(self.random.uniform(0, 0.8))

    def once(self, kind):
        if kind == "starting":
            self.kill(kind)
            self.start()
            time.sleep(self.random.uniform(0, 0.4))
        else:
            self.moment(kind)
        self.kill(kind)
        if self.random.random() < 0.6:
            self.absent()
        self.start()
        self.settle()

    def kill(self, kind):
        self.server.kill()
        self.times.append(time.time())
        self.kills[kind] += 1
        self.within("gate processes are gone", time.monotonic(), lambda: gate_processes(self.world.mark))

    def absent(self):
        """What the person does while no server runs."""
        with self.person.lock:
            for _ in range(self.random.randint(1, 3)):
                self.person.act()
            self.person.merge()

    def within(self, what, begun, left, patience=SOON):
        """Nothing is left in time; notes how long it took, or what is left."""
        while True:
            found = left()
            took = time.monotonic() - begun
            if not found:
                self.longest[what] = max(self.longest[what], took)
                return
            if took > patience:
                self.longest[what] = max(self.longest[what], took)
                self.world.losses[what].append(f"after {took:.1f} s (kill {len(self.times)}): {found[:3]}")
                return
            time.sleep(0.02)

    def settle(self):
        """The successor answers, goes on, clears what is ours, and the folder is as the person has it."""
        stale, begun = locks(self.world.repo), self.begun
        self.server.ready()
        with self.server.client() as client:
            self.within("the server is well", begun, lambda: trouble(client))
            first = {one["merge_id"]: one for one in client.must("GET", "/merges")["merges"]}
            self.world.harvest(first.values())
            self.within("the queue goes on", begun, lambda: stuck(client, first))
        self.within("our stale locks are cleared", begun, lambda: [lock for lock in stale if lock in locks(self.world.repo)])
        self.within("the folder holds the person's edits only", begun, self.person.status)
        self.within("git fsck passes", time.monotonic(), lambda: damage(self.world.repo))


def size(path):
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def trouble(client):
    status, health = client.call("GET", "/health")
    return [] if status == 200 and not health["degraded"] else [health]


def stuck(client, first):
    """Landings that were to be worked on, when none of them has moved on. What waits for a person is not among them."""
    def is_due(one):
        return one["state"] in OPEN and one["state"] != "waiting"
    due = {name: one for name, one in first.items() if is_due(one)}
    now = {one["merge_id"]: one for one in client.must("GET", "/merges")["merges"]}
    moved = [name for name, one in due.items() if now.get(name, one)["changed_at"] != one["changed_at"]]
    return [] if moved or not any(map(is_due, now.values())) else sorted(due) or sorted(now)


def damage(repo):
    code, out, err = attempt(repo, "fsck", "--strict", "--no-dangling")
    return [] if code == 0 else [out.decode(errors="replace") + err]


def locks(repo):
    """Locks of ours in the repository, each with what tells it from a later one."""
    found = []
    for folder, folders, files in os.walk(os.path.join(repo, ".git")):
        folders[:] = [name for name in folders if name not in ("objects", "orchestrator")] if folder.endswith(".git") else folders
        for name in files:
            path = os.path.join(folder, name)
            if name.endswith(".lock") and read(path) == OWNER:
                try:
                    stat = os.stat(path)
                    found.append((path, stat.st_ino, stat.st_mtime_ns))
                except FileNotFoundError:
                    pass
    return found


def gate_processes(mark):
    """Processes that a gate's text or environment names."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            texts = [read(f"/proc/{pid}/{name}") or b"" for name in ("cmdline", "environ")]
        except OSError:
            continue
        if any(mark.encode() in text for text in texts):
            found.append((int(pid), texts[0].replace(b"\0", b" ")[:60]))
    return found


# ---- the proof


def run(world, killer, person, agents, kills, until):
    """Everybody at work, until enough kills were survived or the time is over, and all that was asked for is over."""
    failures = []

    def guarded(call):
        try:
            call()
        except BaseException:
            failures.append(call)
            raise

    def direct():
        try:
            kinds, weights = zip(*MOMENTS.items())
            order = [kind for kind in kinds if kind != "any"][:kills]
            order += killer.random.choices(kinds, weights, k=kills - len(order))
            for kind in order:
                if failures or time.monotonic() > until:
                    break
                killer.once(kind)
        finally:
            world.running = False
            killer.server.kill()
            with person.lock:
                for _ in range(3):
                    person.clean()
                left = person.merge()
                # What is to be said of it was noted; a lock of ours is cleared by the next server.
                print(left, end="")
            killer.start("branch")
            killer.settle()

    in_threads([lambda call=call: guarded(call) for call in [direct, person.run, *(agent.run for agent in agents)]])


def cut_states(events, times):
    """What the landing in work had come to at each kill."""
    states, counts, at = {}, collections.Counter(), 0
    stamp = re.compile(r"Z$")
    events = [event for event in events if event["type"] == "merge_update"]
    for moment in times:
        while at < len(events) and datetime.datetime.fromisoformat(stamp.sub("+00:00", events[at]["timestamp"])).timestamp() <= moment:
            event = events[at]
            step = event["state"]
            if step == "gating":
                step = "moving" if event.get("commit") else "gated" if event.get("gate") else "gating"
            states[event["merge_id"]] = step
            at += 1
        order = ("moving", "gated", "gating", "merging", "queued", "waiting")
        counts[next((step for step in order if step in states.values()), "idle")] += 1
    return counts


def main():
    args = arguments(__doc__.splitlines()[0], kills=(FEW, 300))
    tally = Tally()
    with Work(args, shim=False) as work:
        world = World(work, free_port())
        person = Person(world, args.seed)
        agents = [Agent(world, name, args.seed) for name in AGENTS]
        killer = Killer(world, person, work.folder("state"), args.seed)
        world.said = lambda: killer.server.said()
        killer.start()
        killer.server.ready()
        try:
            # A busy machine kills less in the short run, but not too little: the least is looked at.
            until = time.monotonic() + (SHORT if args.kills <= FEW else PATIENCE * args.kills)
            run(world, killer, person, agents, args.kills, until)
            with killer.server.client() as client:
                deadline = time.monotonic() + PATIENCE
                while any(one["state"] in OPEN for one in client.must("GET", "/merges")["merges"]):
                    need(time.monotonic() < deadline, "landings stay open")
                    time.sleep(0.1)
                world.harvest(client.must("GET", "/merges")["merges"])
                events = all_events(client)
            person.check()
            need(killer.server.stop() == 0, "the server did not end well")
        finally:
            killer.server.kill()
        report(tally, args, world, person, agents, killer, events)
    return tally.end()


def report(tally, args, world, person, agents, killer, events):
    edits = {edit.name: edit for agent in agents for edit in agent.edits}
    seen = Seen(world.receipts, edits, set((read(world.passed) or b"").decode().split()), person.commits, person.tried)
    ends = collections.Counter(receipt["state"] for receipt in world.receipts.values())
    cut = cut_states(events, killer.times)
    kills, times = sum(killer.kills.values()), killer.longest
    print(f"kills: {kills}; meant: {text(killer.kills)}; found: {text(cut)}")
    batched = sum(receipt["state"] == "landed" and receipt["batch"] is not None for receipt in world.receipts.values())
    print(f"{len(edits)} edits, landings: {text(ends)}, {batched} in batches; {len(seen.digests)} trees gated; the person: {len(person.commits)} commits, "
          f"{person.refused} refused by git, {person.merges} merges")
    print("longest: " + ", ".join(f"{what} {took:.2f} s" for what, took in times.items()))
    tally.report("kills survived", kills, [], minimum=args.kills // 2)
    enough = args.kills // 3
    in_work = kills - cut["idle"] - cut["queued"] - cut["waiting"]
    tally.report("kills while a landing was in work", in_work, [], minimum=enough)
    for what in times:
        tally.report(f"within {SOON} s after a kill {what}", kills, world.losses[what], minimum=1)
    tally.report("what landed beside goes together with what the person committed", kills, world.losses["parted"])
    looks = person.checked + sum(agent.checked for agent in agents)
    tally.report("uncommitted work stands as it was written", looks, world.losses["work"], minimum=args.kills)
    tally.report("what is over stays as it is", len(world.receipts), world.losses["over"], minimum=enough)
    history = History(world.repo)
    for what, check in CHECKS.items():
        tally.report(what, len(landed(seen)), check(history, seen), minimum=enough)
    forged = os.path.join(world.work.path, "forged.git")
    git(world.work.path, "clone", "-q", "--mirror", world.repo, forged)
    told, found, believed = planted(forged, seen)
    tally.report("control: forged histories are named", told, believed, minimum=9)
    controls(tally, world, killer, person)


def controls(tally, world, killer, person):
    """What is looked at after each start, with something left behind."""
    stray, lock = os.path.join(world.repo, ".orchestrator-restore-1"), os.path.join(world.repo, ".git", "refs", "heads", "x.lock")
    for path, content in ((stray, b"x"), (lock, OWNER)):
        with open(path, "wb") as file:
            file.write(content)
    sleeper = subprocess.Popen(["sleep", "60"], env={"LANDING_GATE": world.mark, "PATH": os.environ["PATH"]})
    loose = os.path.join(world.repo, ".git", "refs", "heads", "broken")
    with open(loose, "w") as file:
        file.write("1" * 40 + "\n")
    time.sleep(0.1)
    looks = (person.status(), locks(world.repo), gate_processes(world.mark), damage(world.repo),
             stuck(Unchanged(), {one["merge_id"]: one for one in Unchanged().must()["merges"]}))
    sleeper.kill()
    sleeper.wait()
    missed = [str(at) for at, look in enumerate(looks) if not look]
    tally.report("control: a stray file, lock, process, broken ref and a stuck queue are seen", len(looks), missed, minimum=len(looks))


class Unchanged:
    """A server whose queue stands still."""

    def must(self, *_):
        return {"merges": [{"merge_id": "merge-1", "state": "gating", "changed_at": 1}]}


def text(counter):
    return ", ".join(f"{count} {name}" for name, count in counter.most_common())


if __name__ == "__main__":
    sys.exit(main())
