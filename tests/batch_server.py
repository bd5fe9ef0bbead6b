"""A service on loopback that speaks OpenAI's files and batches, with a ledger of what it was paid.

`answer` gets the body of a request and its number, as in `teacher_server`. A batch is worked off
when it is created (that is what is billed); each look at it then shows the next of `shown`. Before
and after a creation, and before each answer of the others, `on` is called with the name of
the moment: it may raise `Broken` to answer with an error, or to send none.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from tests.loopback import form, loopback
from tests.teacher_server import Reply

Answer = Callable[[dict[str, Any], int], Reply]
HOUR = 3600


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

    def posted(self, path: str, content_type: str, body: bytes) -> object:
        """Return what is answered to a POST."""
        if path == "/files":
            self.on("upload")
            fields = form(content_type, body)
            return self.keep_file(fields["file"], fields["purpose"].decode())
        self.on("before create")
        created = self.create(json.loads(body))
        self.on("after create")
        return created

    def got(self, path: str, query: dict[str, str]) -> object:
        """Return what is answered to a GET; bytes are the content of a file."""
        match path.strip("/").split("/"):
            case ["batches"]:
                self.on("list")
                return self.listed(query.get("after"), int(query.get("limit", 20)))
            case ["batches", batch_id]:
                self.on("look")
                return self.look(batch_id)
            case ["files", file_id, "content"]:
                self.on("fetch")
                return self.files[file_id]
        raise KeyError(path)


@contextmanager
def batch_server(answer: Answer, **service: Any) -> Iterator[Service]:
    """Serve on a free port of loopback while the block runs."""
    held = Service(answer, **service)
    with loopback(held):
        yield held
