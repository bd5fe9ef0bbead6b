"""The real openai client over real HTTP, against a teacher on loopback."""

import asyncio
import gzip
import json
import logging
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Barrier
from typing import Any

import dagster as dg
import pytest

from resources.chat_request import Sampling
from resources.endpoint import Endpoint
from resources.teacher_connection import TeacherAnswer, TeacherConnection
from resources.teacher_model import TeacherModel
from tests.batch_server import batch_server
from tests.teacher_server import Reply, failure, idea, teacher_server, text

KEY = "sk-test-1234567890abcdef"
SCHEMA = {
    "type": "object",
    "properties": {"idea": {"type": "string"}},
    "required": ["idea"],
    "additionalProperties": False,
}
MESSAGES = [{"role": "user", "content": "Name the idea."}]
WORST_USD = 0.5
SOON = {"retry_after_ms": "1"}


@pytest.fixture(autouse=True)
def _short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources.rate_headers.FIRST_BACKOFF_SECONDS", 0.001)


class Purse:
    """Pays everything, and notes it."""

    def __init__(self) -> None:
        self.reserved, self.settled = 0, list[float]()

    async def reserve(self, messages: object, schema: object) -> float:
        self.reserved += 1
        return WORST_USD

    async def reserve_together(self, requests: Iterable[object]) -> float:
        self.reserved += len(list(requests))
        return WORST_USD * self.reserved

    async def settle(self, reserved: float, cost_usd: float) -> None:
        self.settled.append(cost_usd)

    def spend(self, cost_usd: float) -> None:
        self.settled.append(cost_usd)


def connection(
    path: Path,
    base_url: str,
    purse: Purse | None = None,
    timeout_seconds: float = 5.0,
    max_retries: int = 2,
    **options: Any,
) -> TeacherConnection:
    model = TeacherModel(cache_path=str(path / "cache.db"), max_retries=max_retries)
    return model.connect(
        endpoint=Endpoint(base_url, KEY),
        model="small",
        sampling=Sampling(0.2, 50),
        timeout_seconds=timeout_seconds,
        cost=lambda prompt, completion: (prompt + completion) / 1000,
        purse=purse or Purse(),
        **{"max_concurrency": 8, **options},
    )


def ask(
    path: Path, base_url: str, messages: list[dict[str, str]] = MESSAGES, **options: Any
) -> TeacherAnswer:
    async def go() -> TeacherAnswer:
        async with connection(path, base_url, **options) as teacher:
            return teacher.cached(messages, SCHEMA) or await teacher.ask(messages, SCHEMA)

    return asyncio.run(go())


def kept(path: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(path / "cache.db") as database:
        return database.execute("select * from answers").fetchall()


def test_an_answer_arrives_with_its_tokens_and_its_cost(tmp_path: Path) -> None:
    with teacher_server(lambda request, n: idea("a b c")) as server:
        answer = ask(tmp_path, server.base_url)
    assert json.loads(answer.text) == {"idea": "a b c"}
    assert (answer.prompt_tokens, answer.completion_tokens, answer.cost_usd) == (100, 10, 0.11)
    assert server.authorizations == [f"Bearer {KEY}"]


def test_the_second_time_the_cache_answers(tmp_path: Path) -> None:
    with teacher_server(lambda request, n: idea(f"a b c{n}")) as server:
        first, second = ask(tmp_path, server.base_url), ask(tmp_path, server.base_url)
        assert first == second
        assert len(server.requests) == 1
        ask(tmp_path, server.base_url, [{"role": "user", "content": "Name the idea!"}])
        assert len(server.requests) == 2


def test_another_sample_of_the_same_messages_is_another_request(tmp_path: Path) -> None:
    async def go(base_url: str) -> list[str]:
        async with connection(tmp_path, base_url) as teacher:
            return [(await teacher.ask(MESSAGES, SCHEMA, index)).text for index in (0, 1)]

    with teacher_server(lambda request, n: idea(f"a b c{n}")) as server:
        assert asyncio.run(go(server.base_url)) == ['{"idea": "a b c0"}', '{"idea": "a b c1"}']
    assert server.requests[0] == server.requests[1]
    assert len(kept(tmp_path)) == 2


def test_what_may_pass_is_tried_again_and_each_attempt_is_settled(tmp_path: Path) -> None:
    unreadable: Reply = (200, {}, b'{"choices": [{"ind')
    gateway: Reply = (504, {"Content-Type": "text/html", "retry-after-ms": "1"}, b"<html>")
    html: Reply = (200, {"Content-Type": "text/html"}, b"<html>")
    replies = [failure(429, **SOON), failure(500, **SOON), gateway, unreadable, html]
    purse = Purse()
    with teacher_server(lambda request, n: [*replies, idea("a b c")][n]) as server:
        answer = ask(tmp_path, server.base_url, purse=purse, max_retries=5)
    assert answer.problem == ""
    assert purse.settled == [0.0, 0.0, WORST_USD, WORST_USD, WORST_USD, 0.11]
    assert len(kept(tmp_path)) == 1


@pytest.mark.parametrize(
    ("reply", "problem", "cost_usd"),
    [
        (failure(500, "broken", **SOON), "refused by the server: .*broken", 0.0),
        (failure(400, "too long"), "refused by the server: .*too long", 0.0),
        (text(None, refusal="I cannot"), "the teacher refused: I cannot", 0.11),
        (text(""), "the answer is empty .*raise max_output_tokens", 0.11),
        (text("{", finish_reason="content_filter"), "content filter", 0.11),
        ((200, {"Content-Type": "text/html"}, b"<html>"), "unreadable: the server sent no", 0.5),
        ((200, {}, b'{"choices": [{"ind'), "unreadable", 0.5),
        ((200, {}, {"choices": []}), "unreadable: the server sent no completion", 0.5),
    ],
)
def test_what_is_no_answer_has_a_reason_and_is_never_kept(
    tmp_path: Path, reply: Reply, problem: str, cost_usd: float
) -> None:
    purse = Purse()
    with teacher_server(lambda request, n: reply) as server:
        answer = ask(tmp_path, server.base_url, purse=purse, max_retries=0)
    assert answer.text == ""
    assert re.search(problem, answer.problem), answer.problem
    assert purse.settled == [pytest.approx(cost_usd)]
    assert kept(tmp_path) == []


def test_the_deadline_is_for_the_whole_answer_not_for_silence(tmp_path: Path) -> None:
    """The server sends a byte now and then, and never ends."""

    async def drops(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        with suppress(ConnectionError):
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.01)

    async def go() -> TeacherAnswer:
        server = await asyncio.start_server(drops, "127.0.0.1", 0)
        base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        options = {"purse": purse, "timeout_seconds": 0.3, "max_retries": 0}
        async with server, connection(tmp_path, base_url, **options) as teacher:
            return await teacher.ask(MESSAGES, SCHEMA)

    purse = Purse()
    assert asyncio.run(go()).problem == "lost: no answer in 0.3 seconds"
    assert purse.settled == [WORST_USD]
    assert kept(tmp_path) == []


def test_an_answer_that_breaks_off_is_asked_for_again(tmp_path: Path) -> None:
    def broken_off(request: dict[str, Any], number: int) -> Reply:
        return idea("a b c") if number else (200, {"Content-Length": "999"}, b'{"choices"')

    with teacher_server(broken_off) as server:
        assert ask(tmp_path, server.base_url).text == '{"idea": "a b c"}'


def test_where_nobody_listens_nothing_is_paid(tmp_path: Path) -> None:
    purse = Purse()
    with teacher_server(lambda request, n: idea("a b c")) as server:
        pass
    answer = ask(tmp_path, server.base_url, purse=purse, max_retries=0)
    assert re.search("lost: Connection error.*refused|lost: .*Cannot connect", answer.problem)
    assert purse.settled == [0.0]


def test_what_the_purse_refuses_is_not_sent(tmp_path: Path) -> None:
    class Empty(Purse):
        async def reserve(self, messages: object, schema: object) -> float:
            raise RuntimeError("no money left")

    with (
        teacher_server(lambda request, n: idea("a b c")) as server,
        pytest.raises(RuntimeError, match="no money left"),
    ):
        ask(tmp_path, server.base_url, purse=Empty())
    assert server.requests == []


def test_no_more_are_in_flight_than_allowed(tmp_path: Path) -> None:
    async def go(base_url: str) -> None:
        async with connection(tmp_path, base_url, max_concurrency=3) as teacher:
            await asyncio.gather(*(teacher.ask(MESSAGES, SCHEMA, n) for n in range(30)))

    together = Barrier(3)  # answers only to three at a time

    def answer(request: dict[str, Any], number: int) -> Reply:
        together.wait(5)
        return idea("a b c")

    with teacher_server(answer) as server:
        asyncio.run(go(server.base_url))
    assert server.most_in_flight == 3


@pytest.mark.parametrize(
    "first",
    [failure(400, "response_format json_schema is unavailable"), text("Sure! The idea is bread.")],
)
def test_a_server_without_structured_output_gets_the_schema_in_the_prompt(
    tmp_path: Path, first: Reply
) -> None:
    fenced = text('```json\n{"idea": "a b c"}\n```')
    with teacher_server(lambda request, n: fenced if n else first) as server:
        assert ask(tmp_path, server.base_url).text == '{"idea": "a b c"}'
    asked, again = server.requests
    assert asked["response_format"]["json_schema"]["schema"] == SCHEMA
    assert asked["messages"] == MESSAGES
    assert "response_format" not in again
    system, user = again["messages"]
    assert json.dumps(SCHEMA) in system["content"]
    assert [user] == MESSAGES
    assert len(kept(tmp_path)) == 1


def test_a_system_message_stays_the_only_one() -> None:
    from resources.chat_request import ChatRequest

    told = [{"role": "system", "content": "Be brief."}, *MESSAGES]
    endpoint = Endpoint("http://x/v1", KEY)
    body = ChatRequest(told, SCHEMA).body(endpoint, "m", Sampling(None, 9), schema_in_prompt=True)
    assert [m["role"] for m in body["messages"]] == ["system", "user"]
    assert body["messages"][0]["content"].startswith("Be brief.\n\nAnswer with one JSON object")


def test_replay_answers_from_the_cache_and_asks_nothing(tmp_path: Path) -> None:
    with teacher_server(lambda request, n: idea("a b c")) as server:
        answer = ask(tmp_path, server.base_url)
    assert ask(tmp_path, server.base_url, replay=True) == answer
    unknown = [{"role": "user", "content": "Name another."}]
    with pytest.raises(dg.Failure, match=r"replay: 1 requests to small have no answer in .*cache"):
        ask(tmp_path, server.base_url, unknown, replay=True)


def test_replay_says_how_many_of_a_batch_are_missing(tmp_path: Path) -> None:
    async def go() -> None:
        async with connection(tmp_path, "http://127.0.0.1:9/v1", replay=True) as teacher:
            await teacher.ask_together([(MESSAGES, SCHEMA, n) for n in range(3)])

    with pytest.raises(dg.Failure, match="replay: 3 requests to small have no answer"):
        asyncio.run(go())


def test_a_batch_is_paid_from_the_purse_and_kept(tmp_path: Path) -> None:
    async def go(base_url: str) -> dict[str, str]:
        options = {"purse": purse, "batch_poll_seconds": 0.01}
        async with connection(tmp_path, base_url, **options) as teacher:
            problems = await teacher.ask_together([(MESSAGES, SCHEMA, n) for n in range(3)])
            found = [teacher.cached(MESSAGES, SCHEMA, n) for n in range(3)]
            assert {a.text for a in found if a} == {'{"idea": "a b c"}', '{"idea": "d e f"}'}
            return problems

    purse = Purse()
    answers = [idea("a b c"), text(None, refusal="I cannot"), idea("d e f")]
    with batch_server(lambda body, n: answers[n]) as server:
        problems = asyncio.run(go(server.base_url))
    assert purse.reserved == 3
    assert purse.settled == [pytest.approx(0.33)]
    assert len(kept(tmp_path)) == 2
    assert list(problems.values()) == ["the teacher refused: I cannot"]


def test_a_refused_key_stops_the_run_and_is_quoted_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with (
        teacher_server(lambda request, n: failure(401, f"bad key {KEY}")) as server,
        pytest.raises(dg.Failure, match=r"small cannot be asked: .*bad key \*\*\*") as raised,
    ):
        ask(tmp_path, server.base_url)
    assert raised.value.__context__ is None
    assert KEY not in str(raised.value)
    assert len(server.requests) == 1


def test_no_credit_left_stops_the_run(tmp_path: Path) -> None:
    broke = failure(429, "no credit", code="insufficient_quota", retry_after_ms="1")
    with (
        teacher_server(lambda request, n: broke) as server,
        pytest.raises(dg.Failure, match="no credit"),
    ):
        ask(tmp_path, server.base_url, max_retries=0)


def test_no_secret_is_in_the_cache_or_a_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    replies = [failure(500, f"{KEY} and pass@word", **SOON), idea("a b c")]
    with teacher_server(lambda request, n: replies[n]) as server:
        with_password = server.base_url.replace("://", "://user:pass%40word@")
        answer = ask(tmp_path, with_password)
    assert answer.text
    assert server.authorizations[0].startswith("Basic ")
    seen = [caplog.text, repr(Endpoint(with_password, KEY)), *map(str, kept(tmp_path))]
    seen += [file.read_bytes().decode(errors="replace") for file in tmp_path.iterdir()]
    for secret in (KEY, "pass%40word", "pass@word", server.authorizations[0]):
        assert not [where for where in seen if secret in where]


def test_a_quoted_secret_is_blanked_in_a_problem(tmp_path: Path) -> None:
    said = failure(400, f"the key {KEY} and the password pass@word")
    with teacher_server(lambda request, n: said) as server:
        with_password = server.base_url.replace("://", "://user:pass%40word@")
        answer = ask(tmp_path, with_password)
    assert "the key *** and the password ***" in answer.problem


def test_requests_go_through_the_proxy_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with teacher_server(lambda request, n: idea("a b c")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.base_url.removesuffix("/v1"))
        monkeypatch.setenv("no_proxy", "")
        assert ask(tmp_path, "http://teacher.invalid/v1").text == '{"idea": "a b c"}'


def test_a_model_without_key_and_address_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(dg.Failure, match=r"'gpt-4o-mini' needs OPENAI_API_KEY .* or OPENAI_BASE"):
        TeacherModel(cache_path=str(tmp_path / "cache.db")).endpoint("gpt-4o-mini")
    assert list(tmp_path.iterdir()) == []


def test_the_environment_is_read_when_a_model_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = TeacherModel(cache_path=str(tmp_path / "cache.db"))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert model.endpoint("m") == Endpoint("https://api.openai.com/v1", KEY)
    assert model.endpoint("m").at_openai
    monkeypatch.setenv("OPENAI_BASE_URL", "http://user:word@localhost:8000/v1/")
    assert not model.endpoint("m").at_openai
    assert model.endpoint("m").address == "http://localhost:8000/v1"


@pytest.mark.parametrize("address", ["localhost:8000/v1", "http://x/v1?key=secret", "ftp://x"])
def test_an_address_that_cannot_work_is_refused_without_quoting_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", address)
    with pytest.raises(dg.Failure, match=r"OPENAI_BASE_URL is not http\(s\)://") as raised:
        TeacherModel(cache_path=str(tmp_path / "cache.db")).endpoint("m")
    assert address not in str(raised.value)


def test_replay_needs_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    model = TeacherModel(cache_path=str(tmp_path / "cache.db"))
    assert model.endpoint("m", replay=True).address == "https://api.openai.com/v1"


def test_loading_the_door_imports_no_openai() -> None:
    code = "import sys, resources.teacher_model; sys.exit('openai' in sys.modules)"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENAI")}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0


@cache
def _openapi(real_data: Path) -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    path = real_data / "openai_api" / "openapi.yaml"
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)


@pytest.mark.real_data
def test_requests_and_answers_have_the_shape_of_the_official_specification(tmp_path: Path) -> None:
    from jsonschema import Draft202012Validator

    real_data = Path(os.environ.get("TUNELINE_REAL_DATA", "../shared/data"))
    if not (real_data / "openai_api").is_dir():
        pytest.skip(f"no folder {real_data / 'openai_api'}: set TUNELINE_REAL_DATA")
    components = {"components": _openapi(real_data)["components"]}
    with teacher_server(lambda request, n: idea("a b c")) as server:
        ask(tmp_path, server.base_url)
    shapes = [
        ("CreateChatCompletionRequest", server.requests[0]),
        ("CreateChatCompletionResponse", idea("a b c")[2]),
        ("CreateChatCompletionResponse", text(None, refusal="no")[2]),
        ("ErrorResponse", failure(429)[2]),
    ]
    for name, value in shapes:
        schema = {"$ref": f"#/components/schemas/{name}", **components}
        Draft202012Validator(schema).validate(value)
        assert not Draft202012Validator(schema).is_valid({"choices": 1, "messages": 1})


@pytest.mark.parametrize(("body", "problem"), [(None, ""), (b"no gzip", "lost: Connection error")])
def test_a_compressed_answer_is_read_and_a_broken_one_is_lost(
    tmp_path: Path, body: bytes | None, problem: str
) -> None:
    whole = gzip.compress(json.dumps(idea("a b c")[2]).encode())
    reply = (200, {"Content-Encoding": "gzip"}, body or whole)
    with teacher_server(lambda request, n: reply) as server:
        answer = ask(tmp_path, server.base_url, max_retries=0)
    assert answer.problem.startswith(problem)
    assert bool(answer.text) is (body is None)
