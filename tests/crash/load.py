"""Work for a server under test, and the question whether what it promised is still there.

`Worker` asks for things and notes each request in a Recorder. `View` is what a state folder holds, read from the
exported log or over HTTP. `losses` compares the two for one moment of power loss.
"""

import contextlib
import json
import os
import random
import sqlite3

from harness import Unreachable, all_events, audit, in_threads, need, whole_inbox

AGENTS = [f"w{i}" for i in range(8)]
TERM = 3600  # of leases, in seconds: none may run out while a proof looks at it
MIX = {"send": 50, "acknowledge": 14, "lease": 12, "broadcast": 4, "status": 6, "claim": 4, "erase": 2}


class Worker:
    """One agent. The same seed asks for the same things, as far as the answers are the same."""

    def __init__(self, agent, recorder, seed, secret=lambda: "", large=0.0):
        self.agent, self.recorder, self.secret, self.large = agent, recorder, secret, large
        self.random = random.Random(f"{agent}/{seed}")
        self.count, self.leases, self.sent = 0, {}, []
        self.mix = MIX if not large else {"send": 1}

    def request(self, client, kind, method, path, body=None, headers=None, **data):
        """One recorded request: its answer, or None when it was refused or none came."""
        began = self.recorder.count()
        try:
            status, answer = client.call(method, path, body, headers)
        except Unreachable:
            self.recorder.add(began, None, kind, **data)
            raise
        acknowledged = self.recorder.count() if status == 200 else None
        if status == 200 and "message_id" in answer:
            data.setdefault("id", int(answer["message_id"][1:]))
        if status == 200 and "lease" in answer:
            data.update(id=int(answer["lease"]["lease_id"][1:]), token=answer["lease"]["token"])
        data["status"] = status
        self.recorder.add(began, acknowledged, kind, **data)
        return answer if status == 200 else None

    def step(self, client):
        """Asks for one thing."""
        self.count += 1
        kind = self.random.choices(list(self.mix), self.mix.values())[0]
        getattr(self, kind)(client)

    def register(self, client):
        self.request(client, "agent", "POST", "/agents/register",
                     {"agent_id": self.agent, "capabilities": ["python"]}, agent=self.agent)

    def payload(self, receivers):
        """Says whose it is, so that it is known when it turns up at somebody else's."""
        size = 60_000 if self.random.random() < self.large else self.random.choice((0, 10, 200, 3000))
        return {"by": self.agent, "n": self.count, "for": receivers, "fill": f"<{self.agent}-{self.count}>" + "x" * size}

    def send(self, client):
        to = self.random.choice([agent for agent in AGENTS if agent != self.agent])
        self.post(client, to, [to])

    def broadcast(self, client):
        self.post(client, "*", [agent for agent in AGENTS if agent != self.agent])

    def post(self, client, to, receivers):
        body = {"from": self.agent, "to": to, "payload": self.payload(receivers), "durable": to == "*",
                "idempotency_key": f"{self.agent}-{self.count}"}
        answer = self.request(client, "sent", "POST", "/messages", body, sent=body, receivers=receivers)
        if answer:
            self.sent.append(int(answer["message_id"][1:]))

    def acknowledge(self, client):
        found = client.must("GET", f"/agents/{self.agent}/inbox")["messages"]
        for message in found[:self.random.randint(1, 3)]:
            number = int(message["id"][1:])
            self.request(client, "read", "POST", f"/agents/{self.agent}/inbox/m{number}/ack", id=number, agent=self.agent)

    def claim(self, client):
        client.must("POST", f"/agents/{self.agent}/inbox/claim", {"max": 2, "ttl_seconds": TERM})

    def status(self, client):
        client.must("POST", f"/agents/{self.agent}/status", {"status": "busy", "workload": self.random.random()})

    def lease(self, client):
        if not self.leases or self.random.random() < 0.5:
            resource = {"kind": "path", "value": f"src/{self.agent}/{self.count}.py"}
            body = {"agent_id": self.agent, "resource": resource, "mode": "exclusive", "ttl_seconds": TERM}
            answer = self.request(client, "lease", "POST", "/leases", body, agent=self.agent)
        else:
            number = self.random.choice(list(self.leases))
            if self.random.random() < 0.5:
                body = {"token": self.leases[number], "ttl_seconds": TERM}
                answer = self.request(client, "renewed", "POST", f"/leases/l{number}/renew", body, id=number)
            else:
                path = f"/leases/l{number}?token={self.leases.pop(number)}"
                answer = self.request(client, "released", "DELETE", path, id=number)
        if answer and "lease" in answer:
            self.leases[int(answer["lease"]["lease_id"][1:])] = answer["lease"]["token"]

    def erase(self, client):
        """Has the body of an own message erased, as the operator."""
        if self.sent:
            number = self.sent.pop(self.random.randrange(len(self.sent)))
            self.request(client, "erased", "DELETE", f"/messages/m{number}", None,
                         {"X-Orchestrator-Operator": self.secret()}, id=number)


def drive(server, workers, steps):
    """Lets all workers ask side by side. A server that dies meanwhile ends them."""

    def run(worker):
        with server.client() as client:
            try:
                for _ in range(steps):
                    worker.step(client)
            except Unreachable:
                if server.process.poll() is None:
                    raise

    in_threads([lambda worker=worker: run(worker) for worker in workers])


# ---- what is there


class View:
    """What a state folder holds."""

    def __init__(self):
        self.agents = set()
        self.messages = {}                            # id -> {"from", "payload", and where known "state"}
        self.boxes = {agent: {} for agent in AGENTS}  # agent -> {id: payload} of what it has not acknowledged
        self.leases = {}                              # id -> (agent, token)
        self.keys = {}                                # (from, key) -> [ids]


def exported(work, state):
    """The view that follows from the log's own records, replayed here."""
    code, out, err = audit(work, state, "export")
    need(code == 0, f"audit export failed: {err[-300:]}")
    view, last = View(), 0
    for line in out.splitlines():
        record = json.loads(line)
        need(record["seq"] > last, f"record {record['seq']} comes after {last}")
        for seq, event in enumerate(json.loads(record["facts"]), record["seq"]):
            apply(view, seq, event, record["payload"])
        last = record["seq"] + record["events"] - 1
    return view


def stored(folder):
    """The same view, read with this interpreter's SQLite: much quicker than a process, for many images."""
    view, last = View(), None
    with contextlib.closing(sqlite3.connect(os.path.join(folder, "log.db"), isolation_level=None)) as database:
        database.execute("PRAGMA synchronous=OFF")  # only the answer counts here, and it is thrown away
        broken = database.execute("PRAGMA integrity_check").fetchone()[0]
        need(broken == "ok", f"the database is damaged: {broken}")
        rows = database.execute("SELECT d.seq, d.facts, d.previous, d.hash, p.body FROM decisions d "
                                "LEFT JOIN payloads p ON p.seq = d.seq ORDER BY d.seq")
        for seq, facts, previous, current, body in rows:
            need(previous == (last or bytes(32)), f"decision {seq} does not follow the one before it")
            for number, event in enumerate(json.loads(facts), seq):
                apply(view, number, event, body.decode() if body is not None else None)
            last = current
    return view


def apply(view, seq, event, payload):
    """Takes one event of the log into a view."""
    family, fact = next(iter(event.items())) if isinstance(event, dict) else (None, None)
    if family not in ("registry", "mailbox"):
        return
    kind, data = next(iter(fact.items()))
    if kind == "registered":
        view.agents.add(data["agent"])
    elif kind == "sent":
        body = json.loads(payload) if isinstance(payload, str) else None
        view.messages[seq] = {"from": data["from"], "payload": body}
        view.keys.setdefault((data["from"], data["key"]), []).append(seq)
        for agent in data["recipients"]:
            view.boxes[agent][seq] = body
    elif kind == "acknowledged":
        view.boxes[data["agent"]].pop(data["message"], None)
    elif kind == "lease_granted":
        view.leases[seq] = (data["agent"], seq)
    elif kind == "lease_renewed":
        view.leases[data["lease"]] = (view.leases[data["lease"]][0], seq)
    elif kind == "lease_ended":
        view.leases.pop(data["lease"], None)


def over_http(client, wanted):
    """The view that the server gives. Messages that stand in no inbox are asked for one by one: those `wanted`."""
    view = View()
    view.agents = {agent["agent_id"] for agent in client.must("GET", "/agents")["agents"]}
    for lease in client.must("GET", "/leases")["leases"]:
        view.leases[int(lease["lease_id"][1:])] = (lease["agent_id"], lease["token"])
    for agent in sorted(view.agents & set(AGENTS)):
        for message in whole_inbox(client, agent):
            number = int(message["id"][1:])
            view.boxes[agent][number] = message["payload"]
            view.messages[number] = {"from": message["from"], "payload": message["payload"]}
    for number in wanted:
        status, answer = client.call("GET", f"/messages/m{number}")
        if status == 200:
            message = answer["message"]
            view.messages[number] = {"from": message["from"], "payload": message["payload"], "state": message["state"]}
    return view


# ---- what has to be there


class Promise:
    """What had been acknowledged at a cut, and what may have happened beyond."""

    def __init__(self, facts, cut):
        self.sure, self.possible, self.leases = {}, {}, {}
        for fact in facts:
            if fact.began <= cut and fact.data.get("status", 200) == 200:
                self.possible.setdefault(fact.kind, []).append(fact.data)
                if fact.acknowledged is not None and fact.acknowledged <= cut:
                    self.sure.setdefault(fact.kind, []).append(fact.data)
            if fact.kind in ("lease", "renewed", "released") and "id" in fact.data and fact.began <= cut:
                self._lease(fact, cut)
        pairs = lambda found: {(data["agent"], data["id"]) for data in found.get("read", ())}  # noqa: E731
        self.read, self.maybe_read = pairs(self.sure), pairs(self.possible)
        self.erased = {data["id"] for data in self.sure.get("erased", ())}
        self.maybe_erased = {data["id"] for data in self.possible.get("erased", ())}
        self.messages = {data["id"]: data for data in self.sure.get("sent", ())}

    def _lease(self, fact, cut):
        """The tokens a lease may have; None stands for ended."""
        after = fact.data.get("token") if fact.kind != "released" else None
        if fact.acknowledged is not None and fact.acknowledged <= cut:
            self.leases[fact.data["id"]] = {after}
        else:
            known = self.leases.setdefault(fact.data["id"], {None})
            known.add(after if fact.acknowledged is not None or fact.kind == "released" else "any")


def losses(view, promise, only=None):
    """What is missing or wrong, as texts. `only` limits the messages that are looked at one by one."""
    found = []
    for data in promise.sure.get("agent", ()):
        if data["agent"] not in view.agents:
            found.append(f"agent {data['agent']} is gone")
    for number, data in promise.messages.items():
        if only is None or number in only or number in view.messages:
            found += message_losses(view, promise, number, data)
    found += box_losses(view, promise)
    for number, tokens in promise.leases.items():
        token = view.leases.get(number, (None, None))[1]
        if token not in tokens and not (token and "any" in tokens):
            found.append(f"lease l{number} has token {token}, not {tokens}")
    for (sender, key), numbers in view.keys.items():
        if key is not None and len(numbers) > 1:
            found.append(f"key {key} of {sender} was stored {len(numbers)} times")
    return found


def message_losses(view, promise, number, data):
    """Is one acknowledged message there, unchanged, and in the right mailboxes?"""
    message, sent = view.messages.get(number), data["sent"]
    if message is None:
        return [f"message m{number} is gone"]
    found = []
    gone = message["payload"] is None and number in promise.maybe_erased
    if message["from"] != sent["from"] or not (gone or message["payload"] == sent["payload"]):
        found.append(f"message m{number} is another one")
    if number in promise.erased and message["payload"] is not None:
        found.append(f"the erased body of m{number} is back")
    pairs = [(agent, number) for agent in data["receivers"]]
    for agent, _ in pairs:
        there, read = number in view.boxes[agent], (agent, number)
        if there and read in promise.read:
            found.append(f"m{number} was acknowledged by {agent} and is unread again")
        if not there and read not in promise.maybe_read:
            found.append(f"m{number} is not in the mailbox of {agent}")
    if "state" in message and set(pairs) <= promise.read and message["state"] != "acknowledged":
        found.append(f"m{number} was acknowledged and is {message['state']}")
    return found


def box_losses(view, promise):
    """Does every mailbox hold only what is its agent's?"""
    found = []
    for agent, box in view.boxes.items():
        for number, payload in box.items():
            data = promise.messages.get(number)
            receivers = payload["for"] if payload else data["receivers"] if data else [agent]
            if agent not in receivers:
                found.append(f"m{number} for {receivers} is in the mailbox of {agent}")
    return found


def event_losses(client, promise):
    """Does the feed from the beginning hold every decision, under its number?"""
    events = {event["seq"]: event for event in all_events(client)}
    expected = {"sent": ("agent_message", "broadcast_message"), "lease": ("lease_granted",), "renewed": ("lease_renewed",)}
    found = []
    for kind, types in expected.items():
        for data in promise.sure.get(kind, ()):
            number = data["id"] if kind == "sent" else data["token"]
            if events.get(number, {}).get("type") not in types:
                found.append(f"event {number} is {events.get(number)}, not {types[0]}")
    for kind, event_type, field in (("agent", "agent_registered", "agent_id"), ("released", "lease_ended", "lease_id")):
        told = {event[field] for event in events.values() if event["type"] == event_type}
        for data in promise.sure.get(kind, ()):
            name = data["agent"] if kind == "agent" else f"l{data['id']}"
            if name not in told:
                found.append(f"no {event_type} event of {name}")
    return found


def resend_losses(client, promise, picked):
    """Does the same key again give the same message, and with another body a refusal?"""
    found = []
    for number in picked:
        body = promise.messages[number]["sent"]
        status, answer = client.call("POST", "/messages", body)
        if status != 200 or answer["message_id"] != f"m{number}":
            found.append(f"the key of m{number} again gives {status} {answer}")
        status, answer = client.call("POST", "/messages", {**body, "payload": {"other": 1}})
        if status != 409:
            found.append(f"the key of m{number} with another body gives {status}")
    return found

