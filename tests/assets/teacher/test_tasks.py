"""What every file of assets/teacher/tasks keeps to; their worked examples are told elsewhere."""

from types import ModuleType
from typing import Any

import pytest

from assets.discovery import find, names
from assets.teacher.config import TASKS, TeacherConfig
from assets.teacher.protocol import first_messages, prompt_version
from assets.teacher.spotlight import RULE, unmarked
from tests.assets.teacher.test_injection import options_of

ALL = names(TASKS)
ASKING = [
    n for n in ALL if hasattr(find(TASKS, n), "messages") or hasattr(find(TASKS, n), "stages")
]


def task_of(name: str) -> ModuleType:
    return find(TASKS, name)


def test_there_are_tasks() -> None:
    assert len(ALL) >= 11
    assert {"reply_pairs", "verified_answer"} <= set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_a_task_asks_a_teacher_or_has_an_offline_method(name: str) -> None:
    assert name in ASKING or hasattr(task_of(name), "offline")


@pytest.mark.parametrize("name", ASKING)
def test_the_schema_is_one_that_strict_mode_takes(name: str) -> None:
    schema: Any = task_of(name).SCHEMA
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert schema["required"] == list(schema["properties"])


@pytest.mark.parametrize("name", ASKING)
def test_the_prompt_says_what_the_marker_means_and_holds_the_document(name: str) -> None:
    task = task_of(name)
    first, *_, last = first_messages(task, options_of(name))
    assert first["role"] == "system" and RULE in first["content"]
    assert last["role"] == "user"


@pytest.mark.parametrize("name", ASKING)
def test_the_hash_of_the_prompt_follows_the_task(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, options = task_of(name), options_of(name)
    before = prompt_version(task, options)
    assert before == prompt_version(task, options)
    monkeypatch.setattr(task, "VERSION", "other")
    assert before != prompt_version(task, options)


@pytest.mark.parametrize("name", [n for n in ASKING if hasattr(task_of(n), "parse")])
def test_an_answer_without_its_fields_is_refused_with_a_reason(name: str) -> None:
    task = task_of(name)
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        task.parse(task.EXAMPLE.document, {}, options_of(name))


@pytest.mark.parametrize("name", [n for n in ASKING if not hasattr(task_of(n), "offline")])
def test_a_task_without_offline_method_demands_a_model(name: str) -> None:
    with pytest.raises(ValueError, match=f"task '{name}' has no offline method: name a model"):
        TeacherConfig.model_validate({"task": name})


@pytest.mark.parametrize("name", [n for n in ALL if n not in ASKING])
def test_a_task_that_asks_nobody_refuses_a_model(name: str) -> None:
    with pytest.raises(ValueError, match=f"task '{name}' asks no teacher: leave model: out"):
        TeacherConfig.model_validate({"task": name, "model": "gpt-4o-mini"})


def test_the_marker_is_gone_from_what_parse_sees() -> None:
    assert unmarked({"idea": "ˆslowˆbackfills"}) == {"idea": "slow backfills"}
