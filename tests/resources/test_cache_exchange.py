"""A cache as a file that a team shares."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.cache_exchange import export_file, import_file, main
from resources.response_cache import CachedAnswer, ResponseCache, request_key

KEYS = sorted(request_key(number) for number in range(3))
ANSWER = CachedAnswer('{"idea": "a\nb ünï"}', "gpt-4o-mini", 100, 10, 0.5)
LINE = {
    **{"key": KEYS[0], "model": "m", "answer": "x", "prompt_tokens": 1, "completion_tokens": 1},
    **{"cost_usd": 0, "created": "2026-03-01T08:10:00+00:00"},
}


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[ResponseCache]:
    cache = ResponseCache(tmp_path / "one.db")
    yield cache
    cache.close()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[ResponseCache]:
    cache = ResponseCache(tmp_path / "two.db")
    yield cache
    cache.close()


def test_what_goes_out_comes_in_whole(
    cache: ResponseCache, other: ResponseCache, tmp_path: Path
) -> None:
    for key in reversed(KEYS):
        cache.put(key, ANSWER)
    assert export_file(cache, tmp_path / "a.jsonl") == 3
    assert import_file(other, tmp_path / "a.jsonl") == (3, 3)
    assert list(other.rows()) == list(cache.rows())
    export_file(other, tmp_path / "b.jsonl")
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    lines = (tmp_path / "a.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["key"] for line in lines] == KEYS


def test_the_answer_that_is_there_stands(
    cache: ResponseCache, other: ResponseCache, tmp_path: Path
) -> None:
    cache.put(KEYS[0], ANSWER)
    cache.put(KEYS[1], ANSWER)
    export_file(cache, tmp_path / "a.jsonl")
    mine = other.put(KEYS[0], CachedAnswer("mine", "m", 1, 1, 0.1))
    assert import_file(other, tmp_path / "a.jsonl") == (1, 2)
    assert other.get(KEYS[0]) == mine


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("not json", "no JSON but 'not json'"),
        ("", "no JSON but ''"),
        ("[1]", "an answer has the keys key, model, answer, .*, this line other ones"),
        (json.dumps({**LINE, "prompt": "x"}), ".*this line other ones"),
        (json.dumps({**LINE, "key": "9b1c"}), "key cannot be '9b1c'"),
        (json.dumps({**LINE, "answer": " "}), "answer cannot be ' '"),
        (json.dumps({**LINE, "prompt_tokens": -1}), "prompt_tokens cannot be '-1'"),
        (json.dumps({**LINE, "completion_tokens": True}), "completion_tokens cannot be 'True'"),
        (json.dumps({**LINE, "cost_usd": float("nan")}), "cost_usd cannot be 'nan'"),
        (json.dumps({**LINE, "created": "yesterday"}), "created cannot be 'yesterday'"),
    ],
)
def test_a_line_that_is_no_answer_is_named_and_nothing_comes_in(
    cache: ResponseCache, tmp_path: Path, line: str, reason: str
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f"{json.dumps(LINE)}\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=rf"a\.jsonl, line 2: {reason}.*Nothing was imported"):
        import_file(cache, path)
    assert list(cache.rows()) == []
    cache.put(KEYS[1], ANSWER)  # it is free for others


def test_an_export_that_breaks_leaves_the_file_as_it_was(
    cache: ResponseCache, tmp_path: Path
) -> None:
    (tmp_path / "a.jsonl").write_text("before")
    (tmp_path / "a.jsonl.partial").mkdir()
    with pytest.raises(OSError):
        export_file(cache, tmp_path / "a.jsonl")
    assert (tmp_path / "a.jsonl").read_text() == "before"


def test_the_command_finds_the_cache_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TUNELINE_STATE", str(tmp_path / "state"))
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps(LINE) + "\n")
    assert main(["import", str(file)]) == 0
    assert (tmp_path / "state" / "teacher_cache.db").is_file()
    assert "1 of 1 answers are new" in capsys.readouterr().out
    elsewhere = ["--cache", str(tmp_path / "none.db")]
    assert main(["export", str(file), *elsewhere]) == 1
    assert "there is no cache" in capsys.readouterr().err
    assert not (tmp_path / "none.db").exists()


def test_the_command_runs_as_it_is_written(cache: ResponseCache, tmp_path: Path) -> None:
    cache.put(KEYS[0], ANSWER)
    command = [sys.executable, "-m", "resources.response_cache", "export", str(tmp_path / "a")]
    done = subprocess.run([*command, "--cache", str(tmp_path / "one.db")], capture_output=True)
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "a").read_bytes().splitlines()) == 1
