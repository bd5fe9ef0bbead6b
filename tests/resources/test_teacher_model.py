"""The real openai client over real HTTP, against a teacher on loopback."""

import asyncio
import json
import logging
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from resources.teacher_connection import Endpoint, Sampling, TeacherAnswer
from resources.teacher_model import TeacherModel
from tests.teacher_server import Reply, failure, idea, teacher_server, text

KEY = "sk-test-1234567890abcdef"
SCHEMA = {
    "type": "object",
    "properties": {"idea": {"type": "string"}},
    "required": ["idea"],
    "additionalProperties": False,
}
MESSAGES = [{"role": "user", "content": "Name the idea."}]
Answers = Callable[[dict[str, Any], int], Reply]


def ask(
    path: Path,
    base_url: str,
    messages: list[dict[str, str]] = MESSAGES,
    timeout_seconds: float = 5.0,
    max_retries: int = 2,
) -> TeacherAnswer:
    model = TeacherModel(cache_path=str(path / "cache.db"), max_retries=max_retries)

    async def go() -> TeacherAnswer:
        endpoint = Endpoint(base_url, KEY)
        async with model.connect(
            endpoint, "small", Sampling(0.2, 50), timeout_seconds, lambda i, o: (i + o) / 1000
        ) as connection:
            return connection.cached(messages, SCHEMA) or await connection.ask(messages, SCHEMA)

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


def test_a_limited_rate_and_a_broken_server_are_tried_again(tmp_path: Path) -> None:
    answers = [failure(429, retry_after="0"), failure(500, retry_after_ms="1"), idea("a b c")]
    with teacher_server(lambda request, n: answers[n]) as server:
        answer = ask(tmp_path, server.base_url)
    assert answer.problem == ""
    assert len(server.requests) == 3
    assert len(kept(tmp_path)) == 1


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (failure(500, "broken", retry_after_ms="1"), "refused by the server: .*broken"),
        (failure(400, "too long"), "refused by the server: .*too long"),
        (text(None, refusal="I cannot"), "the teacher refused: I cannot"),
        (text(""), "the answer is empty .*raise max_output_tokens"),
        (text("{", finish_reason="content_filter"), "content filter"),
        ((200, {"Content-Type": "text/html"}, b"<html>"), "unreadable: the server sent no"),
        ((200, {}, b'{"choices": [{"ind'), "unreadable"),
    ],
)
def test_what_is_no_answer_has_a_reason_and_is_never_kept(
    tmp_path: Path, reply: Reply, problem: str
) -> None:
    with teacher_server(lambda request, n: reply) as server:
        answer = ask(tmp_path, server.base_url, max_retries=1)
    assert answer.text == ""
    assert re.search(problem, answer.problem), answer.problem
    assert kept(tmp_path) == []


def test_a_silent_server_is_a_lost_request(tmp_path: Path) -> None:
    from threading import Event

    done = Event()

    def silent(request: dict[str, Any], number: int) -> Reply:
        done.wait(5)
        return idea("too late now")

    with teacher_server(silent) as server:
        answer = ask(tmp_path, server.base_url, timeout_seconds=0.1, max_retries=0)
        done.set()
    assert answer.lost
    assert "timed out" in answer.problem
    assert kept(tmp_path) == []


def test_a_refused_key_stops_the_run_and_is_quoted_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with (
        teacher_server(lambda request, n: failure(401, f"bad key {KEY}")) as server,
        pytest.raises(dg.Failure, match=r"small cannot be asked: .*bad key \*\*\*") as raised,
    ):
        ask(tmp_path, server.base_url)
    assert raised.value.__suppress_context__
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
    with teacher_server(lambda request, n: idea("a b c")) as server:
        ask(tmp_path, server.base_url)
    for file in tmp_path.iterdir():
        assert KEY.encode() not in file.read_bytes()
    assert KEY not in caplog.text
    assert KEY not in repr(Endpoint("http://x/v1", KEY))


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
    monkeypatch.setenv("OPENAI_BASE_URL", "http://user:word@localhost:8000/v1/?token=1")
    assert not model.endpoint("m").at_openai
    assert model.endpoint("m").address == "http://localhost:8000/v1/"


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
