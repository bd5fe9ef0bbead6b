"""A service on loopback that speaks OpenAI's files and batches, with a ledger of what it was paid.

`answer` gets the body of a request and its number, as in `teacher_server`. A batch is worked off
when it is created (that is what is billed); each look at it then shows the next of `shown`. Before
and after a creation, and before each answer of the others, `on` is called with the name of
the moment: it may raise `Broken` to answer with an error, or to send none.
"""

import email
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.teacher_server import Reply, failure

Answer = Callable[[dict[str, Any], int], Reply]
HOUR = 3600


class Broken(Exception):
    """The moment is answered with this, or not at all where there is no reply."""

    def __init__(self, reply: Reply | None = None):
        super().__init__("broken")
        self.reply = reply


@dataclass
class Service:
    """What it holds, and the proof of what was asked of it."""

    answer: Answer
    base_url: str = ""
    on: Callable[[str], None] = lambda moment: None
    shown: tuple[str, ...] = ("validating", "in_progress", "finalizing")  # before `ending`
    ending: str = "completed"
    answered: int | None = None  # how many requests of a batch got an answer; None: all
    errors: list[dict[str, Any]] = field(default_factory=list)  # of a batch that failed
    cut_downloads: int = 0  # how many files break off in the middle, before they come whole
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    paid: list[str] = field(default_factory=list)  # custom ids, as often as they were worked off
    requests: list[str] = field(default_factory=list)  # "POST /v1/batches"
    created: list[dict[str, Any]] = field(default_factory=list)  # the JSON of each creation
    _looks: dict[str, int] = field(default_factory=dict)
    _lock: Any = field(default_factory=Lock)

    def keep_file(self, content: bytes, purpose: str) -> dict[str, Any]:
        """Keep a file and return what is said of it."""
        with self._lock:
            file_id = f"file-{len(self.files)}"
            self.files[file_id] = content
        about = {"id": file_id, "object": "file", "bytes": len(content), "created_at": 1}
        return {**about, "filename": "requests.jsonl", "purpose": purpose, "status": "processed"}

    def create(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Work a new batch off and return what is said of it."""
        with self._lock:
            batch_id = f"batch_{len(self.batches)}"
            self.created.append(asked)
            self.batches[batch_id] = {
                "id": batch_id,
                "object": "batch",
                "endpoint": asked["endpoint"],
                "input_file_id": asked["input_file_id"],
                "completion_window": asked["completion_window"],
                "created_at": int(time.time()),
                "metadata": asked["metadata"],
                "status": self.shown[0] if self.shown else self.ending,
            }
        self._work(self.batches[batch_id])
        return self.batches[batch_id]

    def look(self, batch_id: str) -> dict[str, Any]:
        """Return what is said of a batch at this look."""
        look = self._looks[batch_id] = self._looks.get(batch_id, -1) + 1
        batch = self.batches[batch_id]
        if look < len(self.shown):
            counts = {**batch["request_counts"], "completed": 0, "failed": 0}
            known = {k: v for k, v in batch.items() if k not in ("output_file_id", "error_file_id")}
            return {**known, "status": self.shown[look], "request_counts": counts}
        return {**batch, "status": self.ending}

    def _work(self, batch: dict[str, Any]) -> None:
        lines = self.files[batch["input_file_id"]].splitlines()
        answers, errors = [], []
        failed = self.ending == "failed"
        for line in [] if failed else lines[: self.answered]:
            request = json.loads(line)
            self.paid.append(request["custom_id"])
            status, _, body = self.answer(request["body"], len(self.paid) - 1)
            response = {"status_code": status, "request_id": "r", "body": body}
            about = {"id": "batch_req", "custom_id": request["custom_id"], "error": None}
            (answers if status == 200 else errors).append({**about, "response": response})
        for line in [] if failed or self.answered is None else lines[self.answered :]:
            code = {"code": f"batch_{self.ending}", "message": "no time was left"}
            about = {"id": "batch_req", "custom_id": json.loads(line)["custom_id"]}
            errors.append({**about, "response": None, "error": code})
        for name, written in (("output_file_id", answers), ("error_file_id", errors)):
            if written:
                batch[name] = self._written(written)
        batch["request_counts"] = {
            "total": len(lines),
            "completed": len(answers),
            "failed": len(errors),
        }
        if failed:
            batch["errors"] = {"object": "list", "data": self.errors}

    def _written(self, lines: list[dict[str, Any]]) -> str:
        written = [json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines]
        return self.keep_file(b"".join(written), "batch_output")["id"]

    def listed(self, after: str | None, limit: int) -> dict[str, Any]:
        """Return a page of the batches, newest first."""
        newest = list(reversed(self.batches.values()))
        ids = [batch["id"] for batch in newest]
        begin = ids.index(after) + 1 if after else 0
        page = newest[begin : begin + limit]
        more = begin + limit < len(newest)
        ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {}
        return {"object": "list", "data": page, "has_more": more, **ends}


@contextmanager
def batch_server(answer: Answer, **service: Any) -> Iterator[Service]:
    """Serve on a free port of loopback while the block runs."""
    held = Service(answer, **service)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(held))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    held.base_url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()


def _handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # a body after its headers would wait 40 ms

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(lambda path: self._posted(path, body))

        def do_GET(self) -> None:
            self._answer(self._got)

        def _answer(self, reply: Callable[[str], object]) -> None:
            path = urlsplit(self.path).path.removeprefix("/v1")
            service.requests.append(f"{self.command} {path}")
            try:
                self._send(200, {}, reply(path))
            except Broken as broken:
                if broken.reply is None:
                    self.close_connection = True
                else:
                    self._send(*broken.reply)
            except KeyError as missing:
                self._send(*failure(404, f"no such thing: {missing}"))

        def _posted(self, path: str, body: bytes) -> object:
            if path == "/files":
                service.on("upload")
                fields = _form(self.headers["Content-Type"], body)
                return service.keep_file(fields["file"], fields["purpose"].decode())
            service.on("before create")
            created = service.create(json.loads(body))
            service.on("after create")
            return created

        def _got(self, path: str) -> object:
            query = {name: value[0] for name, value in parse_qs(urlsplit(self.path).query).items()}
            match path.strip("/").split("/"):
                case ["batches"]:
                    service.on("list")
                    return service.listed(query.get("after"), int(query.get("limit", 20)))
                case ["batches", batch_id]:
                    service.on("look")
                    return service.look(batch_id)
                case ["files", file_id, "content"]:
                    service.on("fetch")
                    return service.files[file_id]
            raise KeyError(path)

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


def _form(content_type: str, body: bytes) -> dict[str, bytes]:
    """Return the fields of a multipart form."""
    parsed = email.message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    fields = {}
    for part in parsed.walk():
        if not part.is_multipart():
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            fields[str(part.get_param("name", header="content-disposition"))] = content
    return fields
