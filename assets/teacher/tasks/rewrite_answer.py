"""The teacher answers the documents' prompts, and the student learns its text.

    text       "Why do backfills fail?"
    prompt     "Why do backfills fail?"
    completion "Because a task reads more than its partition. …"

Sequence-level distillation (Kim & Rush 2016): of all answers the student sees the one that the
teacher gives. Nobody but a teacher can give it, so there is no offline method.
"""

from collections.abc import Mapping, Sequence

from pydantic import field_validator

from assets import discovery
from assets.records import Document
from assets.teacher import answering
from assets.teacher.answering import answer_messages, answer_of, filled, require_text, same
from assets.teacher.protocol import Checked, Example, Fields, Message, Schema
from assets.teacher.refusals import is_refusal

VERSION: str = "1"
SCHEMA: Schema = answering.SCHEMA

_ANSWER = (
    "A backfill reads what the day's run never reads: months of data at once. Give each task the "
    "one partition that it needs, and a failed month can be run again alone."
)
EXAMPLE = Example(
    document=Document("example", "example", "train", "Why do backfills fail?"),
    answer={"answer": _ANSWER},
    samples=[{"prompt": "Why do backfills fail?", "completion": _ANSWER}],
)


class Options(discovery.Options):
    """What is answered, and how."""

    # The prompt, as teacher and student get it; metadata may stand in braces too.
    prompt: str = "{text}"
    prompt_from: str | None = None  # the metadata that is {text} then
    style: str = ""  # one more rule for the teacher: "Answer in two sentences."

    @field_validator("prompt")
    @classmethod
    def _holds_the_text(cls, prompt: str) -> str:
        return require_text(prompt)


def messages(document: Document, options: Options) -> list[Message]:
    """Return the prompt for the teacher; raises ValueError where the document has none."""
    return answer_messages(options.prompt, _asked(document, options), options.style)


def parse(document: Document, answer: Mapping[str, object], options: Options) -> list[Fields]:
    """Return prompt and completion; ValueError says why the answer is refused."""
    prompt = filled(options.prompt, _asked(document, options))
    completion = answer_of(answer)
    if same(prompt, completion):
        raise ValueError("the answer repeats its prompt")
    return [{"prompt": prompt, "completion": completion}]


def faults(checked: Sequence[Checked], options: Options) -> dict[str, str]:
    """Return the answers that refuse, or say no more than their prompt."""
    found = {c.sample.id: _fault(c.sample.fields) for c in checked}
    return {id: reason for id, reason in found.items() if reason}


def _fault(fields: Fields) -> str:
    if is_refusal(fields["completion"]):
        return "the answer is a refusal"
    return "the answer repeats its prompt" if same(fields["prompt"], fields["completion"]) else ""


def _asked(document: Document, options: Options) -> Document:
    return answering.asking(document, options.prompt_from)
