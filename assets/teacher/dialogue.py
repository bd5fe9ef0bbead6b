"""What is asked about one document, and in which order: free of cache, network and money.

A dialogue yields the queries that can be asked at the same time, gets their answers, and returns
the samples' fields. Whoever drives it decides where answers come from: the teacher, the cache
alone, or a stand-in for an estimate.
"""

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from assets.records import Document
from assets.teacher.protocol import Answer, Fields, Message, Refused, Request, Schema, Stages
from assets.teacher.spotlight import as_data, unmarked


@dataclass(frozen=True, slots=True)
class Query:
    """What goes to the teacher for one request."""

    messages: list[Message]
    schema: Schema
    sample_index: int
    stand_in: str  # a plausible answer
    repair: bool = False  # asked because the first answer was refused


Dialogue = Generator[list[Query], Sequence[Answer], list[Fields]]


def dialogue(task: Any, document: Document, safe: Document, options: Any) -> Dialogue:
    """Return the task's dialogue about a document; raises ValueError where no sample comes of it.

    Args:
        task: a module of `assets/teacher/tasks`.
        document: as raw_documents has it; samples are made of it.
        safe: the same without personal data; prompts are made of it.
        options: the task's.
    """
    stages: Stages = (
        task.stages(document, safe, options)
        if hasattr(task, "stages")
        else _one_stage(task, document, safe, options)
    )
    values: list[Any] | None = None
    while True:
        try:
            requests = next(stages) if values is None else stages.send(values)
        except StopIteration as end:
            return end.value
        values = yield from _exchange(requests)


def _one_stage(task: Any, document: Document, safe: Document, options: Any) -> Stages:
    values = yield [
        Request(
            messages=task.messages(safe, options),
            schema=task.SCHEMA,
            parse=lambda answer: task.parse(document, answer, options),
            stand_in=task.EXAMPLE.answer,
        )
    ]
    if isinstance(values[0], Refused):
        raise ValueError(values[0].reason)
    return values[0]


def _exchange(requests: list[Request]) -> Generator[list[Query], Sequence[Answer], list[Any]]:
    """Ask; where an answer is no good, ask once more with the reason."""
    answers = yield [_query(request) for request in requests]
    values = [_read(*pair) for pair in zip(requests, answers, strict=True)]
    again = [
        number
        for number, value in enumerate(values)
        if isinstance(value, Refused) and not answers[number].problem
    ]
    if again:
        repairs = [_repair(requests[n], answers[n], values[n].reason) for n in again]
        for number, answer in zip(again, (yield repairs), strict=True):
            values[number] = _read(requests[number], answer)
    return values


def _read(request: Request, answer: Answer) -> Any:
    """Return what the request's `parse` makes of the answer, or why it is refused."""
    if answer.problem:
        return Refused(answer.problem)
    try:
        content = json.loads(answer.text)
        if not isinstance(content, dict):
            return Refused(f"the answer is a JSON {type(content).__name__}, not an object")
        return request.parse(unmarked(content))
    except json.JSONDecodeError as error:
        return Refused(f"the answer is no JSON: {error}")
    except ValueError as reason:
        return Refused(str(reason))


def _query(request: Request) -> Query:
    stand_in = json.dumps(request.stand_in, ensure_ascii=False)
    return Query(request.messages, request.schema, request.sample_index, stand_in)


def _repair(request: Request, answer: Answer, reason: str) -> Query:
    """Ask again; the reason may quote the answer, and that the document: so it is data too."""
    told = [
        *request.messages,
        {"role": "assistant", "content": answer.text},
        {
            "role": "user",
            "content": f"That was refused:\n{as_data('reason', reason)}\nAnswer by the rules.",
        },
    ]
    return Query(told, request.schema, request.sample_index, "{}", repair=True)
