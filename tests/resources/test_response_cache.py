"""The cache of paid answers, alone."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.response_cache import CachedAnswer, ResponseCache, request_key

ANSWER = CachedAnswer('{"idea": "a b c"}', "gpt-4o-mini", 100, 10, 0.5)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[ResponseCache]:
    cache = ResponseCache(tmp_path / "state" / "teacher_cache.db")
    yield cache
    cache.close()


def test_an_answer_comes_back_as_it_was_kept(cache: ResponseCache) -> None:
    assert cache.get("k") is None
    assert cache.put("k", ANSWER) == ANSWER
    assert cache.get("k") == ANSWER


def test_the_first_answer_stands_where_two_processes_paid(cache: ResponseCache) -> None:
    cache.put("k", ANSWER)
    late = CachedAnswer("late", "gpt-4o-mini", 1, 1, 0.1)
    assert cache.put("k", late) == ANSWER


def test_an_empty_answer_is_refused(cache: ResponseCache) -> None:
    with pytest.raises(ValueError, match="an empty answer is never kept"):
        cache.put("k", CachedAnswer("", "m", 1, 0, 0.0))
    assert cache.get("k") is None


def test_the_key_changes_with_any_part_of_the_request() -> None:
    request = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "temperature": 0.0}
    keys = {
        request_key(request),
        request_key({**request, "model": "n"}),
        request_key({**request, "temperature": 0.1}),
        request_key({**request, "messages": [{"role": "user", "content": "Hallo"}]}),
    }
    assert len(keys) == 4
    assert request_key(dict(reversed(request.items()))) == request_key(request)


def test_many_processes_write_one_new_file(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    code = (
        "import sys; from pathlib import Path\n"
        "from resources.response_cache import CachedAnswer, ResponseCache\n"
        "cache = ResponseCache(Path(sys.argv[1]))\n"
        "for i in range(50): cache.put(f'{sys.argv[2]}-{i}', CachedAnswer('x', 'm', 1, 1, 0.0))\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    writers = [subprocess.Popen([*command, str(n)]) for n in range(4)]
    assert [writer.wait() for writer in writers] == [0, 0, 0, 0]
    with sqlite3.connect(path) as database:
        assert database.execute("select count(*) from answers").fetchone() == (200,)


def test_an_answer_outlives_a_kill_of_the_process(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from resources.response_cache import CachedAnswer, ResponseCache\n"
        "ResponseCache(Path(sys.argv[1])).put('k', CachedAnswer('x', 'm', 1, 1, 0.0))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)]).returncode == -9
    kept = ResponseCache(path)
    assert kept.get("k") is not None
    kept.close()
