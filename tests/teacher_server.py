"""A teacher on loopback that speaks OpenAI's chat completions, with a ledger of what it was asked.

`answer` gets each request's JSON and its number, from 0, and returns what `text`, `idea` or
`failure` make. The ledger is the proof of how often the client really asked.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

Reply = tuple[int, dict[str, str], object]  # status, headers, JSON body
PROMPT_TOKENS, COMPLETION_TOKENS = 100, 10


def text(
    content: str | None,
    refusal: str | None = None,
    finish_reason: str = "stop",
    completion_tokens: int = COMPLETION_TOKENS,
) -> Reply:
    """Return a completion with one choice."""
    message = {"role": "assistant", "content": content, "refusal": refusal}
    choice = {"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": None}
    usage = {
        "prompt_tokens": PROMPT_TOKENS,
        "completion_tokens": completion_tokens,
        "total_tokens": PROMPT_TOKENS + completion_tokens,
    }
    body = {"id": "c-1", "object": "chat.completion", "created": 1, "model": "m"}
    return 200, {}, {**body, "choices": [choice], "usage": usage}


def idea(words: str) -> Reply:
    """Return a completion that answers `idea_for_post`."""
    return text(json.dumps({"idea": words}))


def failure(status: int, message: str = "no", code: str | None = None, **headers: str) -> Reply:
    """Return an error in OpenAI's shape; `retry_after="0"` becomes a header."""
    error = {"type": "error", "message": message, "param": None, "code": code}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, named, {"error": error}


@dataclass
class Ledger:
    """Where the server listens, and every request that it got."""

    base_url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    most_in_flight: int = 0


@contextmanager
def teacher_server(answer: Callable[[dict[str, Any], int], Reply]) -> Iterator[Ledger]:
    """Serve on a free port of loopback while the block runs."""
    ledger, lock, in_flight = Ledger(), Lock(), [0]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                number = len(ledger.requests)
                ledger.requests.append(request)
                ledger.authorizations.append(self.headers["Authorization"])
                in_flight[0] += 1
                ledger.most_in_flight = max(ledger.most_in_flight, in_flight[0])
            status, headers, body = answer(request, number)
            with lock:
                in_flight[0] -= 1
            self.send_response(status)
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            length = {"Content-Length": str(len(content))}
            said = {"Content-Type": "application/json", **length, **headers}
            for name, value in said.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = said["Content-Length"] != str(len(content))  # it breaks off

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    ledger.base_url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield ledger
    finally:
        server.shutdown()
        server.server_close()
