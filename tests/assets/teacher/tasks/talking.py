"""A task's whole dialogue about one document, with a teacher that answers by a function."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from assets.records import Document, Sample
from assets.teacher.dialogue import Query, dialogue
from assets.teacher.generate import NoAnswer
from assets.teacher.protocol import Checked, Fields, Message

Say = Callable[[list[Message], int], Mapping[str, object]]


def document(text: str, **metadata: str) -> Document:
    return Document(id="d", group_id="g", split="train", text=text, metadata=metadata)


def talk(
    task: Any, about: Document, options: Any, say: Say, safe: Document | None = None
) -> tuple[list[Fields], list[Query]]:
    """Return the samples' fields and all that was asked; raises ValueError where none come."""
    going = dialogue(task, about, safe or about, options)
    asked: list[Query] = []
    queries = next(going)
    while True:
        asked += queries
        said = [json.dumps(say(q.messages, q.sample_index), ensure_ascii=False) for q in queries]
        try:
            queries = going.send([NoAnswer(text=text) for text in said])
        except StopIteration as end:
            return end.value, asked


def with_stand_ins(task: Any, about: Document, options: Any) -> tuple[list[Fields], list[Query]]:
    """Return what comes of the stand-ins alone, the last stage answered by the worked example."""
    going = dialogue(task, about, about, options)
    asked: list[Query] = []
    queries = next(going)
    while True:
        asked += queries
        last = queries[0].schema == task.SCHEMA
        example = json.dumps(task.EXAMPLE.answer)
        try:
            queries = going.send([NoAnswer(text=example if last else q.stand_in) for q in queries])
        except StopIteration as end:
            return end.value, asked


def checked(fields: Fields, about: Document, id: str = "s", method: str = "a-teacher") -> Checked:
    return Checked(Sample(id, about.id, about.group_id, about.split, fields, method), about)
