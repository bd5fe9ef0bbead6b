"""Real HTTP on loopback for a service that is written as plain objects."""

import email
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from tests.teacher_server import Reply, failure


class Broken(Exception):
    """What a moment raises to be answered with this, or not at all where there is no reply."""

    def __init__(self, reply: Reply | None = None):
        super().__init__("broken")
        self.reply = reply


class LoopbackService(Protocol):
    """What answers; a KeyError becomes 404."""

    base_url: str
    requests: list[str]  # "POST /batches", as they came
    cut_downloads: int  # how many files break off in the middle, before they come whole

    def posted(self, path: str, content_type: str, body: bytes) -> object:
        """Return what is answered to a POST."""

    def got(self, path: str, query: dict[str, str]) -> object:
        """Return what is answered to a GET; bytes are the content of a file."""


@contextmanager
def loopback(service: LoopbackService) -> Iterator[None]:
    """Serve on a free port while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(service))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    service.base_url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _handler(service: LoopbackService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # a body after its headers would wait 40 ms

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            content_type = self.headers["Content-Type"]
            self._answer(lambda path, query: service.posted(path, content_type, body))

        def do_GET(self) -> None:
            self._answer(service.got)

        def _answer(self, reply: Callable[[str, dict[str, str]], object]) -> None:
            parts = urlsplit(self.path)
            path = parts.path.removeprefix("/v1")
            query = {name: value[0] for name, value in parse_qs(parts.query).items()}
            service.requests.append(f"{self.command} {path}")
            try:
                self._send(200, {}, reply(path, query))
            except Broken as broken:
                if broken.reply is None:
                    self.close_connection = True
                else:
                    self._send(*broken.reply)
            except KeyError as missing:
                self._send(*failure(404, f"no such thing: {missing}"))

        def _send(self, status: int, headers: dict[str, str], body: object) -> None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if isinstance(body, bytes) and service.cut_downloads:
                service.cut_downloads -= 1
                self.close_connection = True
                content = content[: len(content) // 2]
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


def form(content_type: str, body: bytes) -> dict[str, bytes]:
    """Return the fields of a multipart form."""
    parsed = email.message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    fields = {}
    for part in parsed.walk():
        if not part.is_multipart():
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            fields[str(part.get_param("name", header="content-disposition"))] = content
    return fields
