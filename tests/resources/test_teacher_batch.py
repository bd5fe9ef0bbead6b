"""The Batch API over real HTTP with the real openai client: paid once, whatever breaks."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from resources.batch_files import Body
from resources.batch_service import TAG
from resources.response_cache import CachedAnswer, ResponseCache
from resources.teacher_batch import TeacherBatches
from tests.batch_server import HOUR, Service, batch_server
from tests.loopback import Broken
from tests.teacher_server import Reply, failure, text

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

KEY = "sk-secret-1"
RETRY_AT_ONCE = {"retry_after_ms": "1"}


def echo(body: dict[str, Any], number: int) -> Reply:
    return text(body["messages"][0]["content"].upper())


def bodies(*words: str) -> dict[str, Body]:
    """Return a request a word, under the hash `h-<word>`."""
    return {
        f"h-{word}": {"model": "m", "messages": [{"role": "user", "content": word}]}
        for word in words
    }


FIVE = bodies("a", "b", "c", "d", "e")


@dataclass
class Desk:
    """Asks with a cache of its own, and notes what it was told."""

    folder: Path
    base_url: str
    problems: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    reserved: list[str] = field(default_factory=list)
    bodies: dict[str, Body] = field(default_factory=dict)
    after_keeping: Callable[[int], None] = lambda number: None

    async def ask(self, requests: Mapping[str, Body], **options: Any) -> None:
        from openai import AsyncOpenAI

        cache = ResponseCache(self.folder / "cache.db")
        async with AsyncOpenAI(api_key=KEY, base_url=self.base_url, timeout=20) as client:
            batches = TeacherBatches(
                client,
                cache,
                self.folder / "cache.db",
                keep=lambda key, body, answer: self._keep(cache, key, body, answer),
                say=self.said.append,
                without_secrets=lambda error: str(error).replace(KEY, "***"),
                **{"poll_seconds": 0.001, "reserve": self._reserve, **options},
            )
            try:
                self.problems = await batches.ask(requests)
            finally:
                cache.close()

    def _keep(
        self, cache: ResponseCache, key: str, body: Body, completion: "ChatCompletion"
    ) -> str:
        if not completion.choices:
            raise ValueError("no completion")
        message = completion.choices[0].message
        self.bodies[key] = body
        if message.refusal:
            return f"the teacher refused: {message.refusal}"
        cache.put(key, CachedAnswer(message.content or "", "m", 1, 1, 0.5))
        self.after_keeping(len(self.bodies))
        return ""

    async def _reserve(self, requests: Sequence[str]) -> None:
        self.reserved += requests

    def kept(self) -> dict[str, str]:
        """Return the answers in the cache, by request hash."""
        cache = ResponseCache(self.folder / "cache.db")
        found = {key: cache.get(key) for key in [*FIVE, "h-f"]}
        cache.close()
        return {key: answer.text for key, answer in found.items() if answer}


def ask(
    service: Service, folder: Path, requests: Mapping[str, Body] = FIVE, **options: Any
) -> Desk:
    desk = Desk(folder, service.base_url)
    asyncio.run(desk.ask(requests, **options))
    return desk


ALL = {"h-a": "A", "h-b": "B", "h-c": "C", "h-d": "D", "h-e": "E"}


def test_every_request_is_answered_in_one_batch_and_kept(tmp_path: Path) -> None:
    with batch_server(echo) as service:
        desk = ask(service, tmp_path)
    assert desk.kept() == ALL
    assert desk.problems == {}
    assert desk.reserved == sorted(FIVE) == service.paid
    assert desk.bodies == FIVE
    (created,) = service.created
    assert created["completion_window"] == "24h"
    assert len(created["metadata"][TAG]) == 64


def test_the_progress_is_told_once_a_change(tmp_path: Path) -> None:
    shown = ("validating", "in_progress", "in_progress", "in_progress")
    with batch_server(echo, shown=shown) as service:
        assert ask(service, tmp_path).said == [
            "batch_0: sent with 5 requests",
            "batch_0: validating, 0 of 5 done",
            "batch_0: in_progress, 0 of 5 done",
            "batch_0: completed, 5 of 5 done",
        ]


def test_an_answer_that_is_kept_already_is_not_sent(tmp_path: Path) -> None:
    with batch_server(echo) as service:
        ask(service, tmp_path, bodies("a", "b"))
        assert ask(service, tmp_path).reserved == ["h-c", "h-d", "h-e"]
        assert ask(service, tmp_path).reserved == []
    assert service.paid == sorted(FIVE)


def test_a_budget_that_refuses_sends_nothing(tmp_path: Path) -> None:
    async def refuse(requests: Sequence[str]) -> None:
        raise RuntimeError(f"{len(requests)} are too many")

    with batch_server(echo) as service:
        with pytest.raises(RuntimeError, match="5 are too many"):
            ask(service, tmp_path, reserve=refuse)
        assert service.requests == []


@pytest.mark.parametrize("limit", ["most_requests", "most_bytes"])
def test_requests_are_split_at_the_limits_of_a_file(tmp_path: Path, limit: str) -> None:
    limits: dict[str, Any] = {limit: {"most_requests": 2, "most_bytes": 300}[limit]}
    with batch_server(echo) as service:
        desk = ask(service, tmp_path, **limits)
    uploaded = [service.files[created["input_file_id"]] for created in service.created]
    assert [file.count(b"\n") for file in uploaded] == [2, 2, 1]
    assert all(len(file) < 300 for file in uploaded)
    assert desk.kept() == ALL


def test_a_request_that_fails_by_itself_is_a_problem_and_the_others_are_kept(
    tmp_path: Path,
) -> None:
    replies = [text("A"), failure(400, "too long", code="length"), text(None, refusal="no")]
    replies += [(200, {}, {"id": "no completion"}), (200, {}, "a page")]
    with batch_server(lambda body, n: replies[n]) as service:
        desk = ask(service, tmp_path)
    assert desk.kept() == {"h-a": "A"}
    assert desk.problems == {
        "h-b": "refused by the server: 400 length: too long",
        "h-c": "the teacher refused: no",
        "h-d": "unreadable: no completion",
        "h-e": "unreadable: no completion but 'a page'",
    }


@pytest.mark.parametrize("ending", ["expired", "cancelled"])
def test_what_a_batch_answered_before_its_end_is_kept_and_the_rest_may_be_sent_again(
    tmp_path: Path, ending: str
) -> None:
    with batch_server(echo, ending=ending, answered=2) as service:
        desk = ask(service, tmp_path)
        assert desk.kept() == {"h-a": "A", "h-b": "B"}
        assert set(desk.problems) == {"h-c", "h-d", "h-e"}
        assert desk.problems["h-c"] == (
            f"not answered in the batch: batch_{ending}: no time was left"
        )
        service.ending, service.answered = "completed", None
        assert ask(service, tmp_path).kept() == ALL
    assert service.paid == sorted(FIVE)


def test_a_failed_batch_says_why_and_what_to_do(tmp_path: Path) -> None:
    errors = [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}]
    with batch_server(echo, ending="failed", errors=errors) as service:
        desk = ask(service, tmp_path, bodies("a"))
        assert desk.problems == {
            "h-a": "batch_0 is failed (token_limit_exceeded: Enqueued token limit reached) and "
            "holds no answer to it: materialize again to send it in another batch"
        }
        service.ending = "completed"
        assert ask(service, tmp_path, bodies("a")).kept() == {"h-a": "A"}


def test_requests_that_all_failed_go_into_a_new_batch(tmp_path: Path) -> None:
    with batch_server(lambda body, n: failure(400) if n < 2 else echo(body, n)) as service:
        assert len(ask(service, tmp_path, bodies("a", "b")).problems) == 2
        assert ask(service, tmp_path, bodies("a", "b")).problems == {}
    assert len(service.created) == 2


def test_a_line_feed_of_another_script_does_not_cut_an_answer(tmp_path: Path) -> None:
    with batch_server(lambda body, n: text("one\u2028two\u0085three")) as service:
        assert ask(service, tmp_path, bodies("a")).kept() == {"h-a": "one\u2028two\u0085three"}


@pytest.mark.parametrize("reply", [None, failure(500, "after it was created")])
def test_a_creation_whose_answer_is_lost_is_not_repeated(
    tmp_path: Path, reply: Reply | None
) -> None:
    def lose(moment: str) -> None:
        if moment == "after create":
            raise Broken(reply)

    with batch_server(echo, on=lose) as service:
        assert ask(service, tmp_path).kept() == ALL
    assert service.paid == sorted(FIVE)
    assert service.requests.count("POST /batches") == 1


def test_a_creation_that_was_refused_for_a_while_is_tried_again(tmp_path: Path) -> None:
    refusals = iter([failure(503), failure(429)])

    def refuse(moment: str) -> None:
        if moment == "before create" and (reply := next(refusals, None)):
            raise Broken(reply)

    with batch_server(echo, on=refuse) as service:
        assert ask(service, tmp_path).kept() == ALL
    assert service.requests.count("POST /files") == 1
    assert service.requests.count("POST /batches") == 3


def test_a_service_that_never_creates_is_given_up_with_what_to_do(tmp_path: Path) -> None:
    def refuse(moment: str) -> None:
        if moment == "before create":
            raise Broken(failure(503))

    with batch_server(echo, on=refuse) as service:
        with pytest.raises(dg.Failure, match="no answer came to 3 tries.*Materialize again"):
            ask(service, tmp_path)
        service.on = lambda moment: None
        assert ask(service, tmp_path).kept() == ALL
    assert service.paid == sorted(FIVE)


@pytest.mark.parametrize("moment", ["list", "upload", "before create", "look", "fetch"])
def test_a_refusal_ends_the_run_without_the_secret_and_the_next_goes_on(
    tmp_path: Path, moment: str
) -> None:
    def refuse(now: str) -> None:
        if now == moment:
            raise Broken(failure(401, f"wrong key {KEY}"))

    with batch_server(echo, on=refuse) as service:
        with pytest.raises(dg.Failure, match=r"wrong key \*\*\*.*materialized again"):
            ask(service, tmp_path)
        service.on = lambda now: None
        assert ask(service, tmp_path).kept() == ALL
    assert service.paid == sorted(FIVE)


def test_a_look_that_fails_for_a_while_is_repeated(tmp_path: Path) -> None:
    failures = iter([failure(500, **RETRY_AT_ONCE)] * 8)

    def fail(moment: str) -> None:
        if moment == "look" and (reply := next(failures, None)):
            raise Broken(reply)

    with batch_server(echo, on=fail) as service:
        desk = ask(service, tmp_path)
    assert desk.kept() == ALL
    assert any("Error code: 500" in line for line in desk.said)


def test_a_download_that_breaks_off_is_repeated(tmp_path: Path) -> None:
    with batch_server(echo, cut_downloads=2) as service:
        desk = ask(service, tmp_path)
    assert desk.kept() == ALL
    assert desk.problems == {}


def test_answers_that_the_service_has_deleted_are_a_problem_each(tmp_path: Path) -> None:
    with batch_server(echo) as service:
        service.on = lambda moment: service.files.clear() if moment == "fetch" else None
        desk = ask(service, tmp_path, bodies("a"))
    assert "batch_0 is completed and holds no answer" in desk.problems["h-a"]
    assert any("is gone from the service" in line for line in desk.said)


def test_all_answers_of_an_earlier_batch_are_kept_and_only_the_rest_is_sent(
    tmp_path: Path,
) -> None:
    def stop(number: int) -> None:
        raise KeyboardInterrupt

    with batch_server(echo) as service:
        desk = Desk(tmp_path, service.base_url, after_keeping=stop)
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(desk.ask(bodies("a", "b", "c")))
        later = ask(service, tmp_path, bodies("b", "d"))
    assert later.reserved == ["h-d"]
    assert later.kept() == {key: ALL[key] for key in ("h-a", "h-b", "h-c", "h-d")}
    assert later.bodies["h-c"] == {}
    assert sorted(service.paid) == ["h-a", "h-b", "h-c", "h-d"]


def test_a_refusal_of_more_still_keeps_what_was_sent_before(tmp_path: Path) -> None:
    async def refuse(requests: Sequence[str]) -> None:
        raise RuntimeError("over the cap")

    def stop(number: int) -> None:
        raise KeyboardInterrupt

    with batch_server(echo) as service:
        desk = Desk(tmp_path, service.base_url, after_keeping=stop)
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(desk.ask(bodies("a", "b")))
        desk.after_keeping = lambda number: None
        with pytest.raises(RuntimeError, match="over the cap"):
            asyncio.run(desk.ask(FIVE, reserve=refuse))
    assert desk.kept() == {"h-a": "A", "h-b": "B"}
    assert "over the cap. No more is sent; waiting for what was" in desk.said


def test_a_lost_ledger_pays_nothing_for_a_batch_that_the_service_still_lists(
    tmp_path: Path,
) -> None:
    with batch_server(echo) as service:
        ask(service, tmp_path)
        (tmp_path / "cache.db").unlink()
        assert ask(service, tmp_path).kept() == ALL
    assert service.paid == sorted(FIVE)


def test_a_batch_is_found_behind_many_others_and_old_ones_are_not_paged_through(
    tmp_path: Path,
) -> None:
    with batch_server(echo) as service:
        ask(service, tmp_path)
        (tmp_path / "cache.db").unlink()
        mine = service.batches["batch_0"]
        others = {f"b-{n}": {**mine, "id": f"b-{n}", "metadata": None} for n in range(150)}
        old = {f"o-{n}": {**other, "id": f"o-{n}"} for n, other in enumerate(others.values())}
        for batch in old.values():
            batch["created_at"] -= 72 * HOUR
        service.batches = {**old, "batch_0": mine, **others}
        service.requests.clear()
        assert ask(service, tmp_path).kept() == ALL
        assert service.requests.count("GET /batches") == 2
        assert ask(service, tmp_path, bodies("f")).kept() == {**ALL, "h-f": "F"}
        assert service.requests.count("GET /batches") == 4


def test_two_runs_at_once_send_one_batch(tmp_path: Path) -> None:
    async def both(service: Service) -> list[Desk]:
        desks = [Desk(tmp_path, service.base_url) for _ in range(2)]
        await asyncio.gather(*(desk.ask(FIVE) for desk in desks))
        return desks

    with batch_server(echo) as service:
        desks = asyncio.run(both(service))
    assert service.paid == sorted(FIVE)
    assert any("another process is submitting" in line for desk in desks for line in desk.said)
    assert [desk.problems for desk in desks] == [{}, {}]


CHILD = """
import asyncio, os, signal, sys
from pathlib import Path
from tests.resources.test_teacher_batch import FIVE, Desk
def killed(number):
    if sys.argv[3] == "keeping" and number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(Desk(Path(sys.argv[1]), sys.argv[2], after_keeping=killed).ask(FIVE))
"""


@pytest.mark.parametrize("moment", ["upload", "after create", "look", "keeping"])
def test_a_run_that_is_killed_is_gone_on_from_and_nothing_is_paid_twice(
    tmp_path: Path, moment: str
) -> None:
    def kill(now: str) -> None:
        if now == moment:
            os.kill(child.pid, signal.SIGKILL)

    with batch_server(echo, on=kill) as service:
        command = [sys.executable, "-c", CHILD, str(tmp_path), service.base_url, moment]
        child = subprocess.Popen(command)
        assert child.wait(60) == -signal.SIGKILL
        service.on = lambda now: None
        desk = ask(service, tmp_path)
    assert desk.kept() == ALL
    assert service.paid == sorted(FIVE)
    assert len(service.created) == 1
    assert desk.reserved == (sorted(FIVE) if moment == "upload" else [])


def test_no_prompt_and_no_secret_is_written_down(tmp_path: Path) -> None:
    with batch_server(echo) as service:
        ask(service, tmp_path, {"h-a": bodies("a private word")["h-a private word"]})
    for file in tmp_path.iterdir():
        assert b"a private word" not in file.read_bytes()
        assert KEY.encode() not in file.read_bytes()


@cache
def _schemas(real_data: Path) -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    path = real_data / "openai_api" / "openapi.yaml"
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)["components"]


@pytest.mark.real_data
def test_requests_and_answers_have_the_shape_of_the_official_specification(tmp_path: Path) -> None:
    from jsonschema import Draft202012Validator

    real_data = Path(os.environ.get("TUNELINE_REAL_DATA", "../shared/data"))
    if not (real_data / "openai_api").is_dir():
        pytest.skip(f"no folder {real_data / 'openai_api'}: set TUNELINE_REAL_DATA")
    with batch_server(echo) as service:
        ask(service, tmp_path)
        looks = [service.batches["batch_0"], service.listed(None, 20)]
    sent = json.loads(service.files["file-0"].splitlines()[0])
    shapes = [
        ("CreateBatchRequest", service.created[0]),
        ("CreateChatCompletionRequest", sent["body"]),
        ("Batch", looks[0]),
        ("ListBatchesResponse", looks[1]),
        ("OpenAIFile", service.keep_file(b"", "batch")),
    ]
    for name, value in shapes:
        schema = {"$ref": f"#/components/schemas/{name}", "components": _schemas(real_data)}
        Draft202012Validator(schema).validate(value)
        assert not Draft202012Validator(schema).is_valid({"id": 1, "data": 1, "messages": 1})
