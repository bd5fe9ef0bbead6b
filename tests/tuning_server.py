"""A service on loopback that speaks OpenAI's files, tuning jobs and chats, and what it was asked.

A job goes through `shown`, one status a look, and ends as `ending` says. Before each answer, and
after a creation, `on` is called with the name of the moment: it may raise `Broken`.
"""

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from tests.loopback import Broken, form, loopback
from tests.teacher_server import failure, text

Job = dict[str, Any]
STATUSES = ("validating_files", "queued", "running")
CURVE = (
    "step,train_loss,train_accuracy,valid_loss,full_valid_loss\n1,2.5,0.4,,\n2,1.5,0.6,1.9,1.75\n"
)


@dataclass
class Service:
    """What it holds, and the proof of what was asked of it."""

    base_url: str = ""
    on: Callable[[str], None] = lambda moment: None
    shown: tuple[str, ...] = STATUSES  # before `ending`
    ending: str = "succeeded"
    error: dict[str, Any] | None = None  # of a job that failed
    results: bytes = base64.b64encode(CURVE.encode())  # of a job that succeeded; b"": none
    filters: bool = True  # whether a list can be asked for by metadata
    cut_downloads: int = 0
    answer: Callable[[Job], str] = lambda asked: "An answer."  # to a chat completion
    asked: list[Job] = field(default_factory=list)  # the JSON of each
    files: dict[str, bytes] = field(default_factory=dict)
    uploads: list[dict[str, bytes]] = field(default_factory=list)  # the fields of each form
    jobs: dict[str, Job] = field(default_factory=dict)
    created: list[Job] = field(default_factory=list)  # the JSON of each creation
    cancelled: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)  # "POST /fine_tuning/jobs"
    _events: dict[str, list[Job]] = field(default_factory=dict)
    _looks: dict[str, int] = field(default_factory=dict)
    _lock: Any = field(default_factory=Lock)

    def keep_file(self, content: bytes, purpose: str, filename: str) -> Job:
        """Keep a file and return what is said of it."""
        with self._lock:
            file_id = f"file-{len(self.files)}"
            self.files[file_id] = content
        about = {"id": file_id, "object": "file", "bytes": len(content), "created_at": 1}
        return {**about, "filename": filename, "purpose": purpose, "status": "processed"}

    def create(self, asked: Job) -> Job:
        """Begin a job and return what is said of it."""
        for name in ("training_file", "validation_file"):
            if name in asked and asked[name] not in self.files:
                raise Broken(failure(400, f"no file {asked[name]}"))
        with self._lock:
            job_id = f"ftjob-{len(self.jobs)}"
            self.created.append(asked)
            settings = asked["method"][asked["method"]["type"]]["hyperparameters"]
            chosen = {"batch_size": 1, "learning_rate_multiplier": 1.8, **settings}
            of_method = {"type": asked["method"]["type"]}
            self.jobs[job_id] = {
                "id": job_id,
                "object": "fine_tuning.job",
                "model": asked["model"],
                "created_at": int(time.time()),
                "finished_at": None,
                "fine_tuned_model": None,
                "organization_id": "org-1",
                "result_files": [],
                "status": self.shown[0] if self.shown else self.ending,
                "validation_file": asked.get("validation_file"),
                "training_file": asked["training_file"],
                "hyperparameters": chosen if of_method["type"] == "supervised" else {},
                "trained_tokens": None,
                "error": None,
                "integrations": [],
                "seed": asked["seed"],
                "method": {**of_method, of_method["type"]: {"hyperparameters": chosen}},
                "metadata": asked["metadata"],
            }
        self.tell(job_id, f"Created fine-tuning job: {job_id}")
        return self.jobs[job_id]

    def tell(self, job_id: str, message: str, level: str = "info", **data: float) -> None:
        """Add an event to those of a job."""
        events = self._events.setdefault(job_id, [])
        event = {"object": "fine_tuning.job.event", "id": f"{job_id}-event-{len(events)}"}
        about = {"created_at": 100 + len(events) // 3, "level": level, "message": message}
        events.append({**event, **about, "type": "metrics" if data else "message", "data": data})

    def look(self, job_id: str) -> Job:
        """Return what is said of a job at this look, and let it go on."""
        job, look = self.jobs[job_id], self._looks.get(job_id, 0)
        self._looks[job_id] = look + 1
        if job["status"] not in ("succeeded", "failed", "cancelled"):
            if look < len(self.shown):
                job["status"] = self.shown[look]
                self.tell(
                    job_id, f"Step {look}: training loss={3 - look}", step=look, train_loss=3 - look
                )
            else:
                self._end(job)
        return job

    def _end(self, job: Job) -> None:
        job["status"], job["finished_at"] = self.ending, job["created_at"] + 60
        if self.ending == "failed":
            job["error"] = self.error
            self.tell(job["id"], "The job failed", level="error")
        if self.ending == "succeeded":
            suffix = self.created[int(job["id"].partition("-")[2])]["suffix"]
            job["fine_tuned_model"] = f"ft:{job['model']}:org:{suffix}:1"
            job["trained_tokens"] = 300
            if self.results:
                kept = self.keep_file(self.results, "fine-tune-results", "step_metrics.csv")
                job["result_files"] = [kept["id"]]

    def page(self, found: list[Job], query: dict[str, str]) -> Job:
        """Return a page of a list, newest first."""
        newest = list(reversed(found))
        ids = [entry["id"] for entry in newest]
        begin = ids.index(query["after"]) + 1 if "after" in query else 0
        end = begin + int(query.get("limit", 20))
        return {"object": "list", "data": newest[begin:end], "has_more": end < len(newest)}

    def posted(self, path: str, content_type: str, body: bytes) -> object:
        """Return what is answered to a POST."""
        match path.strip("/").split("/"):
            case ["files"]:
                self.on("upload")
                fields = form(content_type, body)
                self.uploads.append(fields)
                return self.keep_file(fields["file"], fields["purpose"].decode(), "f.jsonl")
            case ["chat", "completions"]:
                self.asked.append(json.loads(body))
                return text(self.answer(self.asked[-1]))[2]
            case ["fine_tuning", "jobs"]:
                self.on("before create")
                created = self.create(json.loads(body))
                self.on("after create")
                return created
            case ["fine_tuning", "jobs", job_id, "cancel"]:
                self.on("cancel")
                self.cancelled.append(job_id)
                self.jobs[job_id]["status"] = "cancelled"
                return self.jobs[job_id]
        raise KeyError(path)

    def got(self, path: str, query: dict[str, str]) -> object:
        """Return what is answered to a GET; bytes are the content of a file."""
        match path.strip("/").split("/"):
            case ["fine_tuning", "jobs"]:
                self.on("list")
                wanted = {k[9:-1]: v for k, v in query.items() if k.startswith("metadata[")}
                jobs = self.jobs.values()
                found = [
                    j
                    for j in jobs
                    if not self.filters or wanted.items() <= (j["metadata"] or {}).items()
                ]
                return self.page(found, query)
            case ["fine_tuning", "jobs", job_id]:
                self.on("look")
                return self.look(job_id)
            case ["fine_tuning", "jobs", job_id, "events"]:
                self.on("events")
                return self.page(self._events[job_id], query)
            case ["files", file_id, "content"]:
                self.on("fetch")
                return self.files[file_id]
        raise KeyError(path)


@contextmanager
def tuning_server(**service: Any) -> Iterator[Service]:
    """Serve on a free port of loopback while the block runs."""
    held = Service(**service)
    with loopback(held):
        yield held
