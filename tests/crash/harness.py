"""What the crash proofs share: the real server as a process, its clients, and a record of what it promised.

Only the standard library is used, so that nothing stands between a proof and what the server sends.
"""

import argparse
import base64
import collections
import contextlib
import hashlib
import http.client
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SIMULATOR = os.path.join(ROOT, "tests", "powerloss")
sys.path.insert(0, SIMULATOR)
sys.dont_write_bytecode = True

import rebuild  # noqa: E402  (its folder is only known now)

API = "/api/orchestration"
READY = re.compile(r"http://127\.0\.0\.1:(\d+)")
START_TIMEOUT = 60
INBOX_PAGE = 200  # messages that the server answers with at most


class Failed(Exception):
    """The server did what it must not."""


def need(holds, what):
    """Like assert, but never optimised away."""
    if not holds:
        raise Failed(what)


# ---- the command line and the work folder


def arguments(description, **counts):
    """Parses `--server`, `--long`, `--seed`, `--keep`, and counts given as name=(usual, long)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--server", help="the server program; default: $ORCHESTRATOR_SERVER, or the one built here")
    parser.add_argument("--long", action="store_true", help="many more trials")
    parser.add_argument("--seed", type=int, default=1, help="of all random choices")
    parser.add_argument("--keep", action="store_true", help="keep the work folder")
    for name, (usual, many) in counts.items():
        parser.add_argument(f"--{name}", type=int, help=f"default {usual}, with --long {many}")
    args = parser.parse_args()
    for name, (usual, many) in counts.items():
        if getattr(args, name) is None:
            setattr(args, name, many if args.long else usual)
    return args


def find_server(given):
    """The newest server program there is, unless one is named."""
    if given or os.environ.get("ORCHESTRATOR_SERVER"):
        return given or os.environ["ORCHESTRATOR_SERVER"]
    built = [os.path.join(ROOT, "target", kind, "orchestrator-server") for kind in ("debug", "release")]
    built = [path for path in built if os.path.exists(path)]
    if not built:
        sys.exit("no server program: build one with 'cargo build', or name it with --server PROGRAM")
    return max(built, key=os.path.getmtime)


class Work:
    """A folder for one proof: a copy of the program, the shim, and a repository to serve.

    The program is copied because a build may replace it while the proof runs. `fast` lies in memory where that
    is possible: rebuilt folders need no real disk, because what the disk kept was decided before.
    """

    def __init__(self, args, shim=True):
        self.keep = args.keep
        self.path = tempfile.mkdtemp(prefix="crash-")
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.fast = tempfile.mkdtemp(prefix="crash-", dir=memory)
        self.program = os.path.join(self.path, "orchestrator-server")
        shutil.copy(find_server(args.server), self.program)
        self.repo = os.path.join(self.path, "repo")
        make_repository(self.repo)
        if shim:
            # A rebuilt state folder is an earlier time; the bus's files beside the repository would still be of a
            # later one, and what lies in them would be taken for what agents did since.
            with open(os.path.join(self.repo, "orchestrator.toml"), "w") as file:
                file.write("[bus]\nenabled = false\n")
        self.shim = build_shim(self.path) if shim else None

    def folder(self, name):
        """A new empty folder."""
        return tempfile.mkdtemp(prefix=name + "-", dir=self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.keep:
            print(f"kept: {self.path} {self.fast}")
        else:
            shutil.rmtree(self.path, ignore_errors=True)
            shutil.rmtree(self.fast, ignore_errors=True)


def clean_environment():
    """The environment without anything that would change git, the server or the shim."""
    unwanted = ("GIT_", "ORCHESTRATOR_", "POWERLOSS_", "LD_PRELOAD")
    return {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}


def make_repository(path):
    """A small git repository, or only a folder where there is no git."""
    os.makedirs(path)
    with open(os.path.join(path, "a.py"), "w") as file:
        file.write("def f():\n    return 1\n")
    env = dict(clean_environment(), GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
    if shutil.which("git"):
        subprocess.run(["git", "init", "-q", path], env=env, check=True)


def build_shim(folder):
    """Compiles the simulator's library."""
    shim = os.path.join(folder, "shim.so")
    source = os.path.join(SIMULATOR, "shim.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-fvisibility=hidden", "-o", shim, source], check=True)
    return shim


# ---- the server


class Server:
    """One process of the real program. `shim` names what the power-loss simulator is to do with it."""

    def __init__(self, work, state, bind="127.0.0.1:0", ops_log=None, extra=(), **shim):
        self.work, self.state, self.port = work, state, None
        env = clean_environment()
        if ops_log:
            env.update(LD_PRELOAD=work.shim, POWERLOSS_ROOT=shim.pop("ROOT", state), POWERLOSS_LOG=ops_log)
            env.update({"POWERLOSS_" + name: str(value) for name, value in shim.items()})
        self.errors = tempfile.TemporaryFile()
        command = [work.program, "--repo", work.repo, "--state", state, "--bind", bind, *extra]
        self.process = subprocess.Popen(command, env=env, cwd=work.path, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.errors)

    def ready(self, timeout=START_TIMEOUT):
        """Waits for the ready line; raises Failed with what the program said when it ends instead."""
        timer = threading.Timer(timeout, self.process.kill)
        timer.start()
        try:
            for line in self.process.stdout:
                found = READY.search(line.decode())
                if found:
                    self.port = int(found.group(1))
                    threading.Thread(target=self.process.stdout.read, daemon=True).start()
                    return self
        finally:
            timer.cancel()
        raise Failed(f"the server did not start (exit {self.process.wait()}): {self.said()}")

    def said(self):
        """The end of what it wrote to stderr."""
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")[-600:].strip()

    def kill(self):
        """SIGKILL, and gone."""
        self.process.kill()
        return self.process.wait()

    def stop(self, timeout=30):
        """SIGTERM, and its exit code."""
        self.process.terminate()
        return self.ended(timeout)

    def ended(self, timeout=30):
        """The exit code once it ends by itself."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"the server did not end within {timeout} s") from None

    def client(self, **options):
        return Client(self.port, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()
        self.errors.close()


def audit(work, state, *arguments):
    """Runs `orchestrator-server audit ...` on a state folder: (exit code, stdout, stderr)."""
    command = [work.program, "audit", *arguments, "--state", state, "--repo", work.repo]
    done = subprocess.run(command, env=clean_environment(), cwd=work.path, capture_output=True, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def verify(work, state):
    """Requires that `audit verify` calls the log whole; the last number it vouches for, or 0."""
    code, out, err = audit(work, state, "verify")
    need(code == 0 and "the log is whole" in out, f"audit verify says: {(out + err)[-400:]}")
    found = re.search(r"vouched for: \d+ to (\d+)", out)
    return int(found.group(1)) if found else 0


# ---- HTTP


class Unreachable(Exception):
    """No answer came: the request may or may not have been carried out."""


class Client:
    """A keep-alive HTTP client of one thread."""

    def __init__(self, port, timeout=30, headers=None):
        self.port, self.timeout, self.headers, self.connection = port, timeout, headers or {}, None

    def call(self, method, path, body=None, headers=None):
        """(status, answer as JSON). Raises Unreachable where no whole answer came."""
        data = None if body is None else json.dumps(body).encode()
        head = {"Content-Type": "application/json", **self.headers, **(headers or {})}
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
            self.connection.request(method, API + path, data, head)
            answer = self.connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise Unreachable(repr(error)) from error

    def must(self, method, path, body=None, headers=None):
        """The answer of a call that has to succeed."""
        status, answer = self.call(method, path, body, headers)
        need(status == 200, f"{method} {path} answered {status}: {answer}")
        return answer

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def all_events(client, after=0):
    """Every event of the feed, page by page; the numbers have to grow."""
    found = []
    while True:
        page = client.must("GET", f"/events?after={after}&limit=1000")
        for event in page["events"]:
            need(event["seq"] > after, f"event {event['seq']} comes after {after}")
            after = event["seq"]
            found.append(event)
        if not page["events"]:
            return found
        after = page["next"]


def whole_inbox(client, agent):
    """Every unacknowledged message of an agent."""
    found, after = [], 0
    while True:
        page = client.must("GET", f"/agents/{agent}/inbox?after={after}")
        found += page["messages"]
        after = page["next"]
        if len(page["messages"]) < INBOX_PAGE:
            return found


# ---- WebSocket (RFC 6455, what a client needs of it)


class Closed(Exception):
    """The socket has ended."""


class WebSocket:
    """A client that sends masked text frames and answers pings."""

    def __init__(self, port, path, timeout=10):
        self.buffer = b""
        try:
            self.socket = socket.create_connection(("127.0.0.1", port), timeout)
            self._handshake(port, path)
        except OSError as error:
            raise Closed(repr(error)) from error

    def _handshake(self, port, path):
        key = base64.b64encode(os.urandom(16)).decode()
        head = (f"GET {API}{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n")
        self.socket.sendall(head.encode())
        answer = self._until(b"\r\n\r\n").decode()
        guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        expected = base64.b64encode(hashlib.sha1((key + guid).encode()).digest()).decode()
        need(" 101 " in answer.split("\r\n")[0] + " " and expected in answer, f"no WebSocket: {answer[:200]}")

    def _until(self, mark):
        while mark not in self.buffer:
            self._more()
        found, _, self.buffer = self.buffer.partition(mark)
        return found

    def _more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise Closed("end of stream")
        self.buffer += piece

    def _frame(self, opcode, data):
        mask = os.urandom(4)
        size = len(data)
        if size < 126:
            head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
        elif size < 65536:
            head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
        self.socket.sendall(head + mask + masked)

    def send(self, frame):
        """Sends an object as a text frame."""
        try:
            self._frame(1, json.dumps(frame).encode())
        except OSError as error:
            raise Closed(repr(error)) from error

    def receive(self, timeout=1.0):
        """The next text frame as an object; None when none came in time. Keeps what came of half a frame."""
        self.socket.settimeout(timeout)
        while True:
            try:
                opcode, data = self._read()
            except TimeoutError:
                return None
            except OSError as error:
                raise Closed(repr(error)) from error
            if opcode == 1:
                return json.loads(data)
            if opcode == 9:
                self._frame(10, data)
            if opcode == 8:
                raise Closed(f"closed by the server: {data[2:]!r}")

    def _read(self):
        """One frame. Nothing is taken from the buffer before the frame is whole."""
        self._need(2)
        opcode, size, at = self.buffer[0] & 15, self.buffer[1] & 127, 2
        if size >= 126:
            width = 2 if size == 126 else 8
            self._need(at + width)
            size, at = int.from_bytes(self.buffer[at:at + width], "big"), at + width
        self._need(at + size)
        data, self.buffer = self.buffer[at:at + size], self.buffer[at + size:]
        return opcode, data

    def _need(self, size):
        while len(self.buffer) < size:
            self._more()

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.close()


# ---- what was promised


Fact = collections.namedtuple("Fact", "began acknowledged kind data")


class Recorder:
    """Every request with the number of disk operations before it began and after its answer came.

    A cut before `began` cannot hold it, a cut from `acknowledged` on must hold it, and in between both are
    right. `acknowledged` is None when no answer, or a refusal, came.
    """

    def __init__(self, ops_log=None):
        self.facts, self.lock = [], threading.Lock()
        self.counter = rebuild.Counter(ops_log) if ops_log else None

    def count(self):
        with self.lock:
            return self.counter.read() if self.counter else 0

    def add(self, began, acknowledged, kind, **data):
        with self.lock:
            self.facts.append(Fact(began, acknowledged, kind, data))


def three_over(trials):
    """The rule of three: with no loss in so many trials, the rate is below this with 95% confidence."""
    return f"< {3 / trials:.2e}" if trials else "unknown"


class Tally:
    """Counts trials, names losses, and ends the proof."""

    def __init__(self):
        self.started, self.passed, self.failed = time.monotonic(), 0, 0

    def report(self, name, trials, losses, minimum=1, wanted=False):
        """One line about one claim. `wanted` is a control: there losses are what must be seen."""
        good = trials - len(losses)
        right = bool(losses) if wanted else not losses and good >= minimum
        self.passed, self.failed = self.passed + right, self.failed + (not right)
        bound = "control: losses wanted" if wanted else f"loss rate {three_over(trials)}" if not losses else "LOST"
        print(f"{'ok  ' if right else 'FAIL'} {name}: {trials} trials, {good} successes, {len(losses)} losses ({bound})")
        for loss in losses[:1 if wanted else 8]:
            print(f"       {loss}")
        if not right and not losses:
            print(f"       at least {minimum} successes are needed" if not wanted else "       the control saw nothing")
        sys.stdout.flush()

    def end(self):
        """The closing line, and the exit code."""
        print(f"{time.monotonic() - self.started:.0f} s")
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0


def in_threads(calls):
    """Runs calls side by side; raises the first error."""
    errors = []

    def run(call):
        try:
            call()
        except BaseException as error:  # a lost thread must not look like a quiet one
            errors.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
