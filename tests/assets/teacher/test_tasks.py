"""What every file of assets/teacher/tasks keeps to."""

from typing import cast

import pytest

from assets.discovery import find, names
from assets.teacher.protocol import Task

TASKS = names("assets.teacher.tasks")


def task_of(name: str) -> Task:
    return cast(Task, find("assets.teacher.tasks", name))


def test_there_are_tasks() -> None:
    assert "idea_for_post" in TASKS


@pytest.mark.parametrize("name", TASKS)
def test_the_worked_example_is_parsed_as_it_says(name: str) -> None:
    task = task_of(name)
    assert task.parse(task.EXAMPLE.document, task.EXAMPLE.answer) == task.EXAMPLE.fields


@pytest.mark.parametrize("name", TASKS)
def test_the_schema_is_one_that_strict_mode_takes(name: str) -> None:
    schema = task_of(name).SCHEMA
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert schema["required"] == list(cast(dict[str, object], schema["properties"]))


@pytest.mark.parametrize("name", TASKS)
def test_the_prompt_ends_with_the_document(name: str) -> None:
    task = task_of(name)
    last = task.messages(task.EXAMPLE.document)[-1]
    assert last["role"] == "user"
    assert task.EXAMPLE.document.text in last["content"]


@pytest.mark.parametrize("name", TASKS)
def test_an_answer_without_its_fields_is_refused_with_a_reason(name: str) -> None:
    task = task_of(name)
    with pytest.raises(ValueError, match="answer"):
        task.parse(task.EXAMPLE.document, {})
