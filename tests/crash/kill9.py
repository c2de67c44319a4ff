#!/usr/bin/env python3
"""Proof: any number of `kill -9` under load, at start-up and at the end lose nothing and repeat nothing.

Clients send with idempotency keys through all restarts and repeat each request until it is answered. A listener
follows the feed over a WebSocket and resumes with `?after=`; receivers acknowledge over theirs. At the end what the
server holds is compared with what was asked and what was seen. (A kill proves no durability, because the kernel
keeps what was written: that is what powerloss.py is for. This proves recovery, redelivery and resumption.)
"""

import random
import socket
import sys
import threading
import time

from harness import (Client, Closed, Failed, Server, Tally, Unreachable, WebSocket, Work, all_events, arguments, in_threads, need,
                     verify, whole_inbox)

SENDERS = [f"s{i}" for i in range(3)]
RECEIVERS = [f"r{i}" for i in range(3)]
WORKERS = [f"w{i}" for i in range(3)]
PATIENCE = 120  # seconds for what has to come by itself
MOMENTS = ("under load", "at start-up", "while it stops")


def free_port():
    """A port that stays the same over all restarts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Shared:
    """What all clients know: the port, and whether to go on."""

    def __init__(self, port):
        self.port, self.sending, self.listening = port, True, True
        self.lock = threading.Lock()


class Sender:
    """Sends numbered messages; repeats each, with its key, until it is answered."""

    def __init__(self, shared, name, seed):
        self.shared, self.name, self.random = shared, name, random.Random(f"{name}/{seed}")
        self.sent, self.repeats, self.statuses = {}, 0, 0  # key -> (id, receivers, payload)

    def run(self):
        with Client(self.shared.port, timeout=10) as client:
            self.until_answered(client, "/agents/register", {"agent_id": self.name})
            number = 0
            while self.shared.sending:
                number += 1
                self.send(client, number)
                if number % 7 == 0:
                    self.until_answered(client, f"/agents/{self.name}/status", {"status": "busy", "workload": 0.5})

    def send(self, client, number):
        everyone = self.random.random() < 0.1
        receivers = RECEIVERS + [name for name in SENDERS if name != self.name] if everyone else [self.random.choice(RECEIVERS)]
        key, payload = f"{self.name}-{number}", {"by": self.name, "n": number, "for": receivers}
        body = {"from": self.name, "to": "*" if everyone else receivers[0], "durable": everyone, "payload": payload,
                "idempotency_key": key}
        answer = self.until_answered(client, "/messages", body)
        self.sent[key] = int(answer["message_id"][1:]), receivers, payload

    def until_answered(self, client, path, body):
        while True:
            try:
                status, answer = client.call("POST", path, body)
            except Unreachable:
                self.repeats += 1
                time.sleep(0.01)
                continue
            if status == 200:
                return answer
            need(status == 503 and answer["code"] == "shutting_down", f"{path} answered {status}: {answer}")
            self.repeats += 1
            time.sleep(0.01)


class Listener:
    """Follows a socket over all restarts. The place to resume from is the newest number it saw."""

    def __init__(self, shared, path):
        self.shared, self.path, self.after, self.frames, self.connections = shared, path, 0, [], 0

    def run(self):
        while self.shared.listening:
            try:
                self.follow()
            except Closed:
                time.sleep(0.01)

    def follow(self):
        socket = WebSocket(self.shared.port, f"{self.path}after={self.after}")
        try:
            self.connections += 1
            while self.shared.listening:
                frame = socket.receive(timeout=0.5)
                if frame and "seq" in frame and not frame["type"].endswith("connection_established") \
                        and frame["type"] != "connection_established":
                    self.take(socket, frame)
        finally:
            socket.close()

    def take(self, socket, frame):
        self.frames.append(frame)
        self.after = max(self.after, frame["seq"])


class Receiver(Listener):
    """An agent's socket that acknowledges what it gets, in one of three ways, and sometimes forgets to."""

    def __init__(self, shared, name, seed):
        super().__init__(shared, f"/ws/agent/{name}?ack=1&")
        self.name, self.random, self.got = name, random.Random(f"{name}/{seed}"), {}

    def take(self, socket, frame):
        super().take(socket, frame)
        if frame["type"] not in ("agent_message", "broadcast_message"):
            return
        number, payload = int(frame["message_id"][1:]), frame["payload"]
        if self.name not in payload["for"]:
            raise Failed(f"{self.name} got a message for {payload['for']}")
        if self.got.setdefault(number, payload) != payload:
            raise Failed(f"m{number} was {self.got[number]} and is {payload}")
        socket.send({"type": "message_ack", "original_message": frame})


class Worker:
    """Makes tasks, claims whatever is open, and reports with the token that it was given. Notes every claim that was
    answered."""

    def __init__(self, shared, name, seed):
        self.shared, self.name, self.random = shared, name, random.Random(f"{name}/{seed}")
        self.claims, self.ended, self.made, self.lost = [], {}, {}, 0  # (task, token); task -> token; key -> task

    def run(self):
        with Client(self.shared.port, timeout=10) as client:
            self.ask(client, "POST", "/agents/register", {"agent_id": self.name})
            number = 0
            while self.shared.sending:
                number += 1
                key = f"{self.name}-{number}"
                made = self.ask(client, "POST", "/tasks", {"title": key, "idempotency_key": key, "created_by": self.name})
                self.made[key] = made["task"]["task_id"]
                open_ones = self.ask(client, "GET", "/tasks?state=open&limit=2")["tasks"]
                if open_ones:
                    self.work_on(client, self.random.choice(open_ones)["task_id"])

    def work_on(self, client, task):
        claimed = self.ask(client, "POST", f"/tasks/{task}/claim", {"agent_id": self.name})
        if not claimed:
            self.lost += 1  # another was first
            return
        token = claimed["task"]["claim"]["token"]
        self.claims.append((task, token))
        self.ask(client, "POST", f"/tasks/{task}/progress", {"token": token, "percent": 50})
        if self.random.random() < 0.4:
            self.ask(client, "POST", f"/tasks/{task}/release", {"token": token})
        elif self.ask(client, "POST", f"/tasks/{task}/result", {"token": token, "result": {"by": self.name}}):
            self.ended[task] = token

    def ask(self, client, method, path, body=None):
        """Asks until there is an answer; nothing when somebody else was first, or the claim has ended since."""
        while True:
            try:
                status, answer = client.call(method, path, body)
            except Unreachable:
                time.sleep(0.01)
                continue
            if status == 200:
                return answer
            if status == 409 and answer["code"] in ("task_claimed", "task_over", "stale_token"):
                return None
            need(status == 503 and answer["code"] == "shutting_down", f"{path} answered {status}: {answer}")
            time.sleep(0.01)


class Killer:
    """Kills the server again and again, and starts it on the same port and folder."""

    def __init__(self, work, state, port, seed):
        self.work, self.state, self.bind = work, state, f"127.0.0.1:{port}"
        self.random, self.kills, self.longest, self.server = random.Random(seed), dict.fromkeys(MOMENTS, 0), 0.0, None
        self.ended_first = 0

    def start(self):
        started = time.monotonic()
        self.server = Server(self.work, self.state, bind=self.bind)
        self.server.ready()
        self.longest = max(self.longest, time.monotonic() - started)

    def work_goes_on(self, progress):
        """Waits until some more messages were acknowledged, so that each kill meets a server at work."""
        enough, deadline = progress() + self.random.randint(1, 60), time.monotonic() + PATIENCE
        while progress() < enough:
            need(time.monotonic() < deadline, f"no message was acknowledged for {PATIENCE} s")
            time.sleep(0.002)

    def once(self, moment, progress):
        if moment == "under load":
            self.work_goes_on(progress)
        elif moment == "while it stops":
            self.work_goes_on(progress)
            self.server.process.terminate()
            time.sleep(self.random.uniform(0, 0.06))
        else:
            self.server.kill()
            self.server = Server(self.work, self.state, bind=self.bind)
            time.sleep(self.random.uniform(0, 0.12))
        self.ended_first += self.server.process.poll() is not None
        self.server.kill()
        self.kills[moment] += 1
        self.start()


def exactly_once(senders, client):
    """Every acknowledged message has one number, and the log holds each key once."""
    losses, numbers = [], {}
    events = {event["seq"]: event for event in all_events(client)}
    stored = [event["payload"] for event in events.values() if event["type"] in ("agent_message", "broadcast_message")
              and event["from"] in SENDERS]  # and not what the server tells of tasks
    keys = [f"{payload['by']}-{payload['n']}" for payload in stored]
    losses += [f"{key} is stored {keys.count(key)} times" for key in sorted({key for key in keys if keys.count(key) > 1})]
    for sender in senders:
        for key, (number, _, payload) in sender.sent.items():
            if number in numbers:
                losses.append(f"m{number} is both {key} and {numbers[number]}")
            numbers[number] = key
            if events.get(number, {}).get("payload") != payload:
                losses.append(f"{key}, acknowledged as m{number}, is {events.get(number)}")
    return losses


def one_holder(workers, events):
    """An acknowledged claim is in the log, under its token and for its agent; none was given to two; each task ends once."""
    losses, holders, ends = [], {}, {}
    claimed = {event["token"]: event for event in events if event["type"] == "task_update" and event["event"] == "claimed"}
    for worker in workers:
        for task, token in worker.claims:
            logged = claimed.get(token)
            if holders.setdefault((task, token), worker.name) != worker.name:
                losses.append(f"{task} with token {token} is {worker.name}'s and {holders[task, token]}'s")
            if logged is None or (logged["task_id"], logged["agent_id"]) != (task, worker.name):
                losses.append(f"{worker.name} was given {task} with token {token}, the log has {logged}")
    for event in events:
        if event["type"] == "task_update" and event["event"] in ("done", "failed", "cancelled", "expired"):
            if event["task_id"] in ends:
                losses.append(f"{event['task_id']} ended twice: {ends[event['task_id']]} and {event}")
            ends[event["task_id"]] = event
    for worker in workers:
        for task, token in worker.ended.items():
            if ends.get(task, {}).get("token") != token:
                losses.append(f"{worker.name} ended {task} with token {token}, the log has {ends.get(task)}")
        ids = list(worker.made.values())
        losses += [f"{task} was made for two keys of {worker.name}" for task in set(ids) if ids.count(task) > 1]
    return losses


def delivered(senders, receivers):
    """Every acknowledged message came to each of its receivers."""
    losses = []
    for receiver in receivers:
        for sender in senders:
            for key, (number, to, payload) in sender.sent.items():
                if receiver.name in to and receiver.got.get(number) != payload:
                    losses.append(f"{receiver.name} never got {key} (m{number})")
    return losses


def feed_exact(frames, events):
    """What was seen over the socket, over all connections, is what the log says: no gap, nothing twice."""
    losses, last = [], 0
    for frame in frames:
        if frame["seq"] <= last:
            losses.append(f"number {frame['seq']} came after {last}")
        last = frame["seq"]
    seen, logged = {frame["seq"]: frame for frame in frames}, {event["seq"]: event for event in events}
    losses += [f"event {seq} was {seen[seq]} and is {logged.get(seq)}" for seq in seen if seen[seq] != logged.get(seq)]
    losses += [f"event {seq} was never seen: {logged[seq]}" for seq in logged if seq not in seen]
    return losses


def never_another(receivers, events):
    """On agents' sockets frames may come again, but a number never means something else, and no decision is missed."""
    losses, logged = [], {event["seq"]: event for event in events}
    for receiver in receivers:
        for frame in receiver.frames:
            if frame != logged.get(frame["seq"]):
                losses.append(f"{receiver.name} saw {frame}, the log has {logged.get(frame['seq'])}")
        seen = {frame["seq"] for frame in receiver.frames}
        public = {seq for seq, event in logged.items() if event["type"] != "agent_message"}
        losses += [f"{receiver.name} never saw event {seq}" for seq in sorted(public - seen)]
    return losses


def planted(events):
    """The checks of the feed, given a feed with a gap, one with a repetition, and one with a changed event."""
    half = len(events) // 2
    changed = events[:half] + [{**events[half], "timestamp": "another"}] + events[half + 1:]
    wrong = (events[:half] + events[half + 1:], events[:half] + events[half - 1:], changed)
    return [found[0] for found in (feed_exact(feed, events) for feed in wrong) if found]


def wait_until_read(client, receivers):
    """All mailboxes run empty: what a kill kept from being acknowledged is sent again by itself."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        left = {receiver.name: [message["id"] for message in whole_inbox(client, receiver.name)] for receiver in receivers}
        if not any(left.values()):
            return []
        time.sleep(0.5)
    return [f"{name} has unacknowledged {messages[:5]} ({len(messages)})" for name, messages in left.items() if messages]


def main():
    args = arguments(__doc__.splitlines()[0], kills=(25, 300))
    tally = Tally()
    with Work(args, shim=False) as work:
        shared = Shared(free_port())
        killer = Killer(work, work.folder("state"), shared.port, args.seed)
        killer.start()
        with killer.server.client() as client:
            for name in RECEIVERS:  # before the first message is sent to them
                client.must("POST", "/agents/register", {"agent_id": name})
        senders = [Sender(shared, name, args.seed) for name in SENDERS]
        receivers = [Receiver(shared, name, args.seed) for name in RECEIVERS]
        workers = [Worker(shared, name, args.seed) for name in WORKERS]
        watcher = Listener(shared, "/ws/orchestrator?")
        unread, events, once = [], [], []

        def progress():
            return sum(len(sender.sent) for sender in senders)

        def direct():
            try:
                choice = random.Random(args.seed)
                for at in range(args.kills):
                    killer.once(MOMENTS[at] if at < len(MOMENTS) else choice.choices(MOMENTS, (3, 1, 1))[0], progress)
                time.sleep(0.5)
                shared.sending = False
                time.sleep(0.5)
                with killer.server.client() as client:
                    unread.extend(wait_until_read(client, receivers))
                    time.sleep(1.5)
                    events.extend(all_events(client))
                    once.extend(exactly_once(senders, client))
                time.sleep(1.0)
            finally:
                shared.sending = shared.listening = False

        in_threads([direct, watcher.run] + [client.run for client in senders + receivers + workers])
        need(killer.server.stop() == 0, "the server did not end well")
        vouched = verify(work, killer.state)
        report(tally, args, killer, senders, receivers, watcher, (unread, events, once), vouched)
        claims = sum(len(worker.claims) for worker in workers)
        print(f"{claims} claims of tasks acknowledged, {sum(worker.lost for worker in workers)} lost to another agent, "
              f"{sum(len(worker.ended) for worker in workers)} results")
        tally.report("acknowledged claims have one holder and one token, tasks one end", claims,
                     one_holder(workers, events), minimum=args.kills)
        forged = Worker(shared, "nobody", args.seed)
        forged.claims = [next(worker.claims[0] for worker in workers if worker.claims)]
        tally.report("control: a claim that two agents hold", 1, one_holder(workers + [forged], events)[:1], wanted=True)
    return tally.end()


def report(tally, args, killer, senders, receivers, watcher, found, vouched):
    unread, events, once = found
    messages = sum(len(sender.sent) for sender in senders)
    repeats = sum(sender.repeats for sender in senders)
    kills = ", ".join(f"{count} {moment}" for moment, count in killer.kills.items())
    print(f"{kills}; {killer.ended_first} had ended before; longest start {killer.longest:.2f} s")
    print(f"{messages} messages acknowledged, {repeats} requests repeated, {len(events)} events, the audit vouches for "
          f"1 to {vouched}")
    tally.report("kills survived", sum(killer.kills.values()), [], minimum=args.kills)
    tally.report("acknowledged messages are stored once, under their number", messages, once, minimum=10 * args.kills)
    tally.report("acknowledged messages came to their receivers", messages, delivered(senders, receivers), args.kills)
    tally.report("mailboxes run empty", len(receivers), unread)
    tally.report(f"the feed over {watcher.connections} connections is the log's", len(events),
                 feed_exact(watcher.frames, events), minimum=args.kills)
    seen = planted(events)
    tally.report("control: a gap, a repetition and a change in the feed", 3, seen if len(seen) == 3 else [], wanted=True)
    frames = sum(len(receiver.frames) for receiver in receivers)
    tally.report("agents' sockets miss nothing and never change a number's meaning", frames,
                 never_another(receivers, events), minimum=args.kills)


if __name__ == "__main__":
    sys.exit(main())
