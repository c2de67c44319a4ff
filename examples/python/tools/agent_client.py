#!/usr/bin/env python3
"""One agent of the orchestration service: registers, keeps a socket open, loses nothing.

As a library:  client = AgentClient("my-agent", ["python"]); await client.connect()
As a program:  python tools/agent_client.py --agent-id dev-agent --capabilities python,api

Needs Python 3.9 and the `websockets` package. Exit codes: 0 ok, 1 failed, 2 usage, 6 service not available.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import inspect
import json
import logging
import random
import signal
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections import OrderedDict
from datetime import datetime, timezone
from typing import Any, Awaitable, Callable, Dict, List, Optional, Union

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

Json = Dict[str, Any]
Handler = Callable[[Json], Union[None, Awaitable[None]]]

API = "/api/orchestration"
STATUSES = ("active", "idle", "busy", "error", "offline")
ANSWER_SECONDS = 30.0
LONGEST_PAUSE = 30.0
SEND_TRIES = 5
QUEUE_LENGTH = 1000  # messages waiting for the handler; one more is left with the service, which sends it again
REMEMBERED_IDS = 1000  # handled messages, so that a redelivery is acknowledged and not handled twice

log = logging.getLogger("agent_client")


class AgentClientError(Exception):
    """The service refused (`status` is its HTTP status, 0 for a frame) or gave no answer (`unavailable`)."""

    def __init__(self, reason: str, status: int = 0, code: str = "", hint: str = "", unavailable: bool = False):
        super().__init__(reason + (f" ({code})" if code else "") + (f"; {hint}" if hint else ""))
        self.status = status
        self.code = code
        self.unavailable = unavailable or status in (502, 503, 504)


class AgentClient:
    """A connected agent. `on_message` is called, in order, with every `agent_message` and `broadcast_message` frame.

    A direct message is acknowledged after `on_message` returned; when it raises, the service sends the message again.
    """

    def __init__(
        self,
        agent_id: str,
        capabilities: List[str],
        base_url: str = "http://localhost:8000",
        on_message: Optional[Handler] = None,
    ):
        parts = urllib.parse.urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"the base URL must look like http://localhost:8000, not {base_url!r}")
        self.agent_id = agent_id
        self.capabilities = list(capabilities)
        self.base_url = base_url.rstrip("/")
        self.on_message = on_message
        self._route = f"/agents/{urllib.parse.quote(agent_id, safe='')}"
        self._local = parts.hostname in ("localhost", "127.0.0.1", "::1")  # never through a proxy
        self._opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if self._local else []))
        self._socket: Optional[ClientConnection] = None
        self._tasks: List[asyncio.Task[None]] = []
        self._seq: Optional[int] = None
        self._handled: OrderedDict[str, None] = OrderedDict()
        self._status_frame: Optional[Json] = None
        self._awaited_type = ""
        self._answer: Optional[asyncio.Future[Json]] = None

    async def connect(self) -> None:
        """Registers and opens the socket; from then on it is reopened after any close until `disconnect()`."""
        if self._tasks:
            return
        self._open = asyncio.Event()
        self._turn = asyncio.Lock()
        self._messages: asyncio.Queue[Json] = asyncio.Queue(QUEUE_LENGTH)
        socket = await self._join()
        self._tasks = [
            asyncio.create_task(self._stay_connected(socket)),
            asyncio.create_task(self._handle_messages()),
        ]

    async def disconnect(self) -> None:
        """Closes the socket for good; the agent stays registered (see `unregister`)."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def unregister(self) -> None:
        """Takes the agent off the list; call it after `disconnect()`, else the client registers it again."""
        await self._http("DELETE", self._route, timeout=5.0)

    async def update_status(self, status: str, task: Optional[str] = None, workload: Optional[float] = None) -> None:
        """Reports the status (one of `STATUSES`), the current task and the workload from 0 to 1."""
        frame: Json = {"type": "status_update", "status": status, "timestamp": _now()}
        if task is not None:
            frame["task"] = task
        if workload is not None:
            frame["workload"] = workload
        await self._exchange(frame, "status_update_ack")
        self._status_frame = frame

    async def report_code_change(self, path: str, change_type: str) -> None:
        """Reports a file as `created`, `modified`, `deleted` or `renamed`."""
        frame = {"type": "code_change", "file_path": path, "change_type": change_type, "timestamp": _now()}
        await self._exchange(frame, "code_change_ack")

    async def send_message_to_agent(self, to: str, payload: Json) -> Optional[str]:
        """Sends a message and answers its id, or None (and a warning) when nobody of that name ever registered."""
        try:
            return await self._post_message(f"/agents/{urllib.parse.quote(to, safe='')}/message", payload)
        except AgentClientError as error:
            if error.code != "unknown_agent":
                raise
            log.warning("not sent: %s", error)
            return None

    async def broadcast(self, payload: Json) -> Optional[str]:
        """Sends a notice to all agents that are connected or read the event feed later; answers its id."""
        return await self._post_message("/broadcast", payload)

    async def inbox(self, after: int = 0, wait: float = 0.0) -> Json:
        """Reads the mailbox from a cursor on, waiting up to `wait` seconds; reading acknowledges nothing."""
        query = {"after": after, "wait": f"{wait:g}"}
        return await self._http("GET", f"{self._route}/inbox", query=query, timeout=ANSWER_SECONDS + wait)

    async def acknowledge(self, message_id: str) -> None:
        """Tells the service that a direct message is dealt with and need not be sent again."""
        await self._send(_message_ack(message_id))

    # The socket.

    async def _join(self) -> ClientConnection:
        """Registers over HTTP, then opens the agent's socket, resuming behind the last push that was seen."""
        body = {"agent_id": self.agent_id, "capabilities": self.capabilities}
        await self._http("POST", "/agents/register", body)
        query = "?ack=1" + ("" if self._seq is None else f"&after={self._seq}")
        url = f"ws{self.base_url[4:]}{API}/ws{self._route.replace('/agents/', '/agent/', 1)}{query}"
        try:
            return await open_socket(url, proxy=None if self._local else True, max_size=16 * 2**20, close_timeout=2)
        except InvalidStatus as error:
            raise _refusal(error.response.status_code, error.response.body or b"") from None
        except (OSError, WebSocketException, asyncio.TimeoutError) as error:
            raise AgentClientError(f"no socket at {url}: {error}", unavailable=True) from None

    async def _stay_connected(self, socket: ClientConnection) -> None:
        failures = 0
        while True:
            opened = time.monotonic()
            await self._read(socket)
            failures = 0 if time.monotonic() - opened > LONGEST_PAUSE else failures + 1
            while True:
                pause = _pause(failures)
                log.warning("connecting again in %.1f s", pause)
                await asyncio.sleep(pause)
                try:
                    socket = await self._join()
                    break
                except AgentClientError as error:
                    failures += 1
                    log.warning("not connected: %s", error)

    async def _read(self, socket: ClientConnection) -> None:
        """Reads one socket until it closes, for whatever reason."""
        try:
            self._socket = socket
            if self._status_frame is not None:
                await socket.send(json.dumps(self._status_frame))
            self._open.set()
            async for text in socket:
                await self._on_frame(socket, text)
        except ConnectionClosed:
            pass
        finally:
            self._open.clear()
            self._socket = None
            if self._answer is not None and not self._answer.done():
                self._answer.set_exception(ConnectionClosed(None, None))
            await socket.close()
        log.warning("connection closed: %d %s", socket.close_code or 1006, socket.close_reason or "")

    async def _on_frame(self, socket: ClientConnection, text: Union[str, bytes]) -> None:
        try:
            frame = json.loads(text)
        except (ValueError, RecursionError):
            frame = None
        if not isinstance(frame, dict):
            log.warning("ignored a frame that is no JSON object: %.80r", text)
            return
        kind = frame.get("type")
        self._note_seq(frame)
        waiting = self._answer is not None and not self._answer.done()
        if kind == "ping":
            await socket.send(json.dumps({"type": "pong", "timestamp": _now()}))
        elif kind in ("agent_message", "broadcast_message"):
            try:
                self._messages.put_nowait(frame)
            except asyncio.QueueFull:
                log.warning("too many messages wait for the handler: left one from %s", frame.get("from"))
        elif waiting and self._answer is not None and kind == self._awaited_type:
            self._answer.set_result(frame)
        elif waiting and self._answer is not None and kind == "error":
            self._answer.set_exception(_error_in(frame))
        else:
            log.info("%s %s", kind, json.dumps(frame))

    def _note_seq(self, frame: Json) -> None:
        """Keeps where to resume. A greeting counts only at first, or when it shows a log that began anew."""
        seq = frame.get("to") if frame.get("type") == "gap" else frame.get("seq")
        if not isinstance(seq, int):
            return
        greeting = frame.get("type") == "agent_connection_established"
        if self._seq is None or (seq < self._seq if greeting else seq > self._seq):
            self._seq = seq

    async def _send(self, frame: Json) -> None:
        if self._socket is None:
            raise AgentClientError("not connected", unavailable=True)
        try:
            await self._socket.send(json.dumps(frame, allow_nan=False))
        except ConnectionClosed:
            raise AgentClientError("the connection closed", unavailable=True) from None

    async def _exchange(self, frame: Json, awaited_type: str) -> Json:
        """Sends a frame and waits for its answer; sends it again when the socket closed in between."""
        text = json.dumps(frame, allow_nan=False)
        if not self._tasks:
            raise AgentClientError("not connected", hint="call connect() first")
        async with self._turn:
            deadline = time.monotonic() + ANSWER_SECONDS
            while True:
                try:
                    await asyncio.wait_for(self._open.wait(), deadline - time.monotonic())
                    socket = self._socket
                    if socket is None:  # closed again before this coroutine ran
                        continue
                    self._awaited_type, self._answer = awaited_type, asyncio.get_running_loop().create_future()
                    await socket.send(text)
                    return await asyncio.wait_for(self._answer, deadline - time.monotonic())
                except asyncio.TimeoutError:
                    raise AgentClientError(f"no {awaited_type} within {ANSWER_SECONDS:g} s", unavailable=True) from None
                except ConnectionClosed:
                    await asyncio.sleep(0.05)
                finally:
                    self._answer = None

    async def _handle_messages(self) -> None:
        while True:
            frame = await self._messages.get()
            message_id = frame.get("message_id")
            try:
                if not isinstance(message_id, str) or message_id not in self._handled:
                    log.info("message from %s: %s", frame.get("from"), json.dumps(frame.get("payload")))
                    result = self.on_message(frame) if self.on_message else None
                    if inspect.isawaitable(result):
                        await result
                if frame["type"] == "agent_message":
                    if isinstance(message_id, str):
                        self._handled[message_id] = None
                        if len(self._handled) > REMEMBERED_IDS:
                            self._handled.popitem(last=False)
                    await self._send(_message_ack(message_id or frame))
            except AgentClientError as error:
                log.info("not acknowledged yet: %s", error)
            except Exception:  # whatever a handler raises must not end the client
                log.exception("the handler failed; the message stays unacknowledged")

    # HTTP.

    async def _post_message(self, path: str, payload: Json) -> Optional[str]:
        """Posts until there is an answer; the key makes several tries one message."""
        query, headers = {"from": self.agent_id}, {"Idempotency-Key": str(uuid.uuid4())}
        for failures in range(SEND_TRIES):
            try:
                answer = await self._http("POST", path, {"message": payload}, query, headers)
                break
            except AgentClientError as error:
                if not error.unavailable or failures + 1 == SEND_TRIES:
                    raise
                await asyncio.sleep(_pause(failures))
        return answer.get("message_id")

    async def _http(
        self,
        method: str,
        path: str,
        body: Optional[Json] = None,
        query: Optional[Dict[str, Any]] = None,
        headers: Optional[Dict[str, str]] = None,
        timeout: float = ANSWER_SECONDS,
    ) -> Json:
        url = f"{self.base_url}{API}{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body, allow_nan=False).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(url, data, headers, method=method)

        def answer() -> Json:
            try:
                with self._opener.open(request, timeout=timeout) as response:
                    parsed = json.load(response)
            except urllib.error.HTTPError as error:
                raise _refusal(error.code, error.read()) from None
            if not isinstance(parsed, dict):
                raise ValueError("the answer is no JSON object")
            return parsed

        try:
            return await asyncio.to_thread(answer)
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            hint = "is orchestrator-server running?"
            raise AgentClientError(f"no answer from {self.base_url}: {reason}", hint=hint, unavailable=True) from None


def _refusal(status: int, body: bytes) -> AgentClientError:
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = None
    return _error_in(parsed if isinstance(parsed, dict) else {}, status)


def _error_in(body: Json, status: int = 0) -> AgentClientError:
    reason = body.get("message") or body.get("detail") or f"refused with status {status}"
    return AgentClientError(str(reason), status, str(body.get("code") or ""), str(body.get("hint") or ""))


def _message_ack(original: Union[str, Json]) -> Json:
    return {"type": "message_ack", "original_message": original, "timestamp": _now()}


def _pause(failures: int) -> float:
    """Doubles with every failure and is spread, so that agents do not come back all at once."""
    return random.uniform(0.5, 1.0) * min(LONGEST_PAUSE, 0.5 * 2.0 ** min(failures, 10))


def _now() -> str:
    return datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")


# The command line.


async def run(client: AgentClient, status: str, task: Optional[str], workload: Optional[float]) -> None:
    """Connects, reports once, and stays until a signal; then takes the agent off the list."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows: Ctrl-C cancels this coroutine
            pass

    joined = False

    async def start() -> None:
        nonlocal joined
        await client.connect()
        joined = True
        await client.update_status(status, task, workload)
        log.info("%s is connected to %s; Ctrl-C ends", client.agent_id, client.base_url)

    starting, stopped = asyncio.ensure_future(start()), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
        await stopped
    finally:
        starting.cancel()
        stopped.cancel()
        await client.disconnect()
        if joined or stop.is_set():
            await client.unregister()
            log.info("%s is unregistered", client.agent_id)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Connect one agent to the orchestration service until Ctrl-C.")
    parser.add_argument("--agent-id", required=True)
    parser.add_argument("--capabilities", default="", help="comma-separated, such as python,backend,api")
    parser.add_argument("--base-url", default="http://localhost:8000")
    parser.add_argument("--status", default="active", choices=STATUSES)
    parser.add_argument("--task", help="what the agent works on")
    parser.add_argument("--workload", type=float, help="from 0 to 1")
    return parser


def main() -> int:
    """Runs the command line and answers the exit code."""
    parser = _arguments()
    options = parser.parse_args()
    if options.workload is not None and not 0 <= options.workload <= 1:
        parser.error(f"argument --workload: must be from 0 to 1, not {options.workload}")
    capabilities = [name.strip() for name in options.capabilities.split(",") if name.strip()]
    try:
        client = AgentClient(options.agent_id, capabilities, options.base_url)
    except ValueError as error:
        parser.error(f"argument --base-url: {error}")
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format="%(asctime)s %(message)s")
    log.setLevel(logging.INFO)
    try:
        asyncio.run(run(client, options.status, options.task, options.workload))
    except KeyboardInterrupt:
        pass
    except AgentClientError as error:
        print(f"agent_client: {error}", file=sys.stderr)
        return 6 if error.unavailable else 2 if error.status == 422 else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
