"""Chats with personal data that a teacher invents: nobody's, so that they can be learnt from.

subject  "A parcel that is late"
chat     {"turns": [{"speaker": "Maria Lindholm", "text": "Hi, my parcel is late. …"}, …],
"people": ["Maria Lindholm"], "values": ["+44 20 7946 0958"]}
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assets.records import Document, content_hash
from assets.teacher.masking import speakers_named
from assets.teacher.protocol import Request, Schema
from assets.teacher.refusals import is_refusal
from assets.teacher.spotlight import RULE, as_data

_TURN = {
    "type": "object",
    "properties": {"speaker": {"type": "string"}, "text": {"type": "string"}},
    "required": ["speaker", "text"],
    "additionalProperties": False,
}
_LIST = {"type": "array", "items": {"type": "string"}}
SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "turns": {"type": "array", "items": _TURN},
        "people": {**_LIST, "description": "full names of all persons in the chat"},
        "values": {**_LIST, "description": "each other piece of personal data, as it stands there"},
    },
    "required": ["turns", "people", "values"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class PersonalText:
    """A text, and what of it is known to be personal."""

    text: str
    people: list[str]  # full names
    values: list[str]  # other than names, as they stand in the text


def invention(document: Document, safe: Document, countries: Sequence[str], number: int) -> Request:
    """Return the request for one chat about a document; its people live where the hash says."""
    draw = int(content_hash([document.id, number]), 16) % len(countries)
    system = (
        "You write short chats between a customer and an agent, to train a program that hides "
        "personal data. Invent a realistic chat of 4 to 8 turns on the subject that you are "
        f"given. Its people live in {countries[draw]}. It holds at least four kinds of "
        "personal data that belong there: full and first names, addresses, telephone numbers, mail "
        "addresses, dates of birth, numbers of accounts, cards or papers; all invented. The "
        "customer speaks under a full name, the agent as Agent. List the people, and each other "
        f"piece of personal data as it stands in the chat. {RULE}"
    )
    return Request(
        messages=[
            {"role": "system", "content": system},
            {"role": "user", "content": as_data("subject", safe.text)},
        ],
        schema=SCHEMA,
        parse=_chat,
        sample_index=number,
        stand_in={
            "turns": [{"speaker": "Maria Lindholm", "text": f"Number {number}. " + "word " * 80}],
            "people": ["Maria Lindholm"],
            "values": [],
        },
    )


def _chat(answer: Mapping[str, Any]) -> PersonalText:
    """Return the invented chat; raises ValueError where what it lists does not stand in it."""
    turns = answer.get("turns")
    if not isinstance(turns, list) or not turns:
        raise ValueError(f"the answer has no turns but {turns!r}")
    try:
        lines = [f"{turn['speaker'].strip()}: {' '.join(turn['text'].split())}" for turn in turns]
        people = speakers_named([*answer["people"], *(turn["speaker"] for turn in turns)])
        values = sorted({value.strip() for value in answer["values"] if value.strip()})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the answer is no chat: {error!r}") from None
    text = "\n".join(lines)
    if is_refusal(lines[0].partition(": ")[2]):
        raise ValueError("the answer is a refusal")
    if not people:
        raise ValueError("the answer's chat names nobody: the customer needs a full name")
    if missing := [value for value in values if value not in text]:
        raise ValueError(f"the answer lists {missing[0]!r}, which does not stand in the chat")
    return PersonalText(text, people, [value for value in values if value not in people])
