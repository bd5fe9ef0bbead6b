"""`python -m tests.unreliable_teacher JSON`: a teacher, a process of its own, that fails at random.

It prints its port, answers chat completions after `answer_seconds`, and does to a request whatever
the hash of its last message and the number of the try draw: so a run always ends, and two runs meet
the same faults. `GET /ledger` tells what it was asked and what it answered: the proof.
"""

import asyncio
import json
import math
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any
from urllib.request import urlopen

FAULTS = ("limited", "broken", "silent", "cut", "junk", "html", "refusal")


@dataclass(frozen=True)
class Behaviour:
    """How it answers; each fault is the share of requests that meet it."""

    answer_seconds: float = 0.0
    faults: dict[str, float] = field(default_factory=dict)
    faulty_tries: int = 3  # of one message; later ones are answered
    requests_per_second: float = 0.0  # 0: no limit; a second's worth can be saved up
    tokens_per_second: float = 0.0


@dataclass
class Bucket:
    """A limit that fills evenly."""

    rate: float
    level: float
    at: float = field(default_factory=time.monotonic)

    def look(self) -> float:
        """Return what is there now."""
        now = time.monotonic()
        self.level, self.at = min(self.rate, self.level + self.rate * (now - self.at)), now
        return self.level

    def headers(self, name: str) -> dict[str, str]:
        """Return what OpenAI says of a limit."""
        reset = math.ceil((self.rate - self.level) / self.rate * 1000)
        return {
            f"x-ratelimit-limit-{name}": f"{self.rate:.0f}",
            f"x-ratelimit-remaining-{name}": f"{math.floor(max(0.0, self.level))}",
            f"x-ratelimit-reset-{name}": f"{reset}ms",
        }


@dataclass
class Ledger:
    """What happened, counted where it happened."""

    requests: int = 0
    admitted: int = 0  # by the limits
    admitted_tokens: float = 0.0
    over_limit: int = 0
    first: float = 0.0
    last: float = 0.0
    in_flight: int = 0
    most_in_flight: int = 0
    answers: int = 0  # written whole, to a client that was there
    asked_again: int = 0  # after its answer had been written
    faults: Counter[str] = field(default_factory=Counter)
    billed: Counter[str] = field(default_factory=Counter)  # completions made, by API key
    answered: Counter[str] = field(default_factory=Counter)  # answers, by message
    tries: Counter[str] = field(default_factory=Counter)


class Teacher:
    """Decides what becomes of a request."""

    def __init__(self, behaviour: Behaviour):
        self.behaviour, self.ledger = behaviour, Ledger()
        self.waiting: list[tuple[int, Callable[[], None]]] = []
        limits = {"requests": behaviour.requests_per_second, "tokens": behaviour.tokens_per_second}
        self.buckets = {name: Bucket(rate, rate) for name, rate in limits.items() if rate}

    def admit(self, tokens: float) -> bool:
        """Take a request off the limits, if it is within them."""
        amounts = {"requests": 1.0, "tokens": tokens}
        ledger, now = self.ledger, time.monotonic()
        ledger.requests += 1
        ledger.first, ledger.last = ledger.first or now, now
        if any(bucket.look() < amounts[name] for name, bucket in self.buckets.items()):
            ledger.over_limit += 1
            return False
        for name, bucket in self.buckets.items():
            bucket.level -= amounts[name]
        ledger.admitted += 1
        ledger.admitted_tokens += tokens
        return True

    def fault(self, message: str) -> str:
        """Draw what befalls this try of a message; '' for nothing."""
        tried = self.ledger.tries[message]
        self.ledger.tries[message] += 1
        self.ledger.asked_again += self.ledger.answered[message] > 0
        if is_refused(message, self.behaviour):
            return "refusal"
        draw = _drawn(f"{tried} {message}")
        for name in FAULTS[:-1] if tried < self.behaviour.faulty_tries else ():
            draw -= self.behaviour.faults.get(name, 0.0)
            if draw < 0:
                return name
        return ""

    def count(self, answers: int) -> None:
        """Count answers, and tell those who wait for so many."""
        self.ledger.answers += answers
        for number, tell in [w for w in self.waiting if w[0] <= self.ledger.answers]:
            self.waiting.remove((number, tell))
            tell()

    def headers(self) -> dict[str, str]:
        """Return what is left of the limits."""
        said: dict[str, str] = {}
        for name, bucket in self.buckets.items():
            said |= bucket.headers(name)
        return said


def is_refused(message: str, behaviour: Behaviour) -> bool:
    """Return whether a message is refused, as it is at every try."""
    return _drawn(message) < behaviour.faults.get("refusal", 0.0)


def _drawn(text: str) -> float:
    return int.from_bytes(sha256(text.encode()).digest()[:8]) / 2**64


def completion(message: str, refusal: bool = False) -> bytes:
    """Return the one answer that there is to a message."""
    said = None if refusal else json.dumps({"answer": f"{message}, answered"})
    told = {"role": "assistant", "content": said, "refusal": "not that" if refusal else None}
    choice = {"index": 0, "message": told, "finish_reason": "stop", "logprobs": None}
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    about = {"id": "c-1", "object": "chat.completion", "created": 1, "model": "m"}
    return json.dumps({**about, "choices": [choice], "usage": usage}).encode()


def error(message: str) -> bytes:
    """Return an error as OpenAI words it."""
    return json.dumps({"error": {"message": message, "type": "error", "code": None}}).encode()


class Connection(asyncio.Protocol):
    """HTTP, as little as is needed: one request after the other, each with its length."""

    def __init__(self, teacher: Teacher):
        self.teacher, self.received, self.waiting = teacher, b"", None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._waited()

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, rest = self.received.partition(b"\r\n\r\n")
        if not found:
            return
        headers = dict(
            line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line
        )
        length = int(headers.get(b"content-length", 0))
        if len(rest) < length:
            return
        self.received = b""
        if head.startswith(b"GET /after/"):
            answers = int(head.split()[1].rpartition(b"/")[2])
            self.teacher.waiting.append((answers, lambda: self.reply(200, b"true")))
            self.teacher.count(0)
        elif head.startswith(b"GET"):
            self.reply(200, json.dumps(vars(self.teacher.ledger)).encode())
        else:
            self.asked(json.loads(rest[:length]), headers[b"authorization"].decode())

    def asked(self, body: dict[str, Any], authorization: str) -> None:
        """Refuse, or answer later, or never."""
        teacher, ledger = self.teacher, self.teacher.ledger
        size = sum(len(m["content"].encode()) for m in body["messages"])
        admitted = teacher.admit(size / 4 + body["max_tokens"])
        headers = teacher.headers()
        if not admitted:
            self.reply(429, error("over the limit"), {**headers, "Retry-After": "1"})
            return
        message = body["messages"][-1]["content"]
        fault = teacher.fault(message)
        ledger.faults[fault] += 1
        ledger.in_flight += 1
        ledger.most_in_flight = max(ledger.most_in_flight, ledger.in_flight)
        if fault not in ("limited", "broken", "silent"):
            ledger.billed[authorization.removeprefix("bearer ")] += 1
        act = (message, fault, headers)
        seconds = 3600.0 if fault == "silent" else self.teacher.behaviour.answer_seconds
        self.waiting = asyncio.get_running_loop().call_later(seconds, self.answer, *act)

    def answer(self, message: str, fault: str, headers: dict[str, str]) -> None:
        """Send the answer, or what the fault makes of it."""
        self._waited()
        content = completion(message, fault == "refusal")
        match fault:
            case "limited":
                self.reply(429, error("slow down"), {**headers, "retry-after-ms": "5"})
            case "broken":
                self.reply(500, error("broken"), {**headers, "retry-after-ms": "5"})
            case "cut":
                self.transport.write(_head(200, len(content), headers) + content[:50])
                self.transport.close()
            case "junk":
                self.reply(200, content[: len(content) // 2], headers)
            case "html":
                self.reply(200, b"<html>down</html>", {**headers, "Content-Type": "text/html"})
            case _:
                self.reply(200, content, headers)
                self.teacher.count(1)
                self.teacher.ledger.answered[message] += fault != "refusal"

    def reply(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        """Send a whole response."""
        self.transport.write(_head(status, len(content), headers or {}) + content)

    def _waited(self) -> None:
        if self.waiting is not None:
            self.waiting.cancel()
            self.waiting = None
            self.teacher.ledger.in_flight -= 1


def _head(status: int, length: int, headers: dict[str, str]) -> bytes:
    said = {"Content-Type": "application/json", **headers, "Content-Length": str(length)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    return f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode()


@contextmanager
def unreliable_teacher(behaviour: Behaviour) -> Iterator[str]:
    """Run the server while the block runs; yields its address, without /v1."""
    command = [sys.executable, "-m", "tests.unreliable_teacher", json.dumps(asdict(behaviour))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.kill()


def look(address: str) -> dict[str, Any]:
    """Return the ledger."""
    with urlopen(f"{address}/ledger") as answer:
        return json.load(answer)


def wait(address: str, answers: int) -> None:
    """Return once the server has given so many answers."""
    with urlopen(f"{address}/after/{answers}", timeout=100):
        pass


async def main(behaviour: Behaviour) -> None:
    """Serve until killed."""
    teacher, loop = Teacher(behaviour), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(teacher), "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Behaviour(**json.loads(sys.argv[1]))))
