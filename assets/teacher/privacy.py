"""What may leave the machine: a document without personal data, and the proof of it.

The pseudonyms are made by one set of rules and looked for by another: what the first overlooks in
a document, the second finds in the request.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from assets.personal_data.detect import values
from assets.personal_data.redact import redact
from assets.records import Document
from assets.teacher.protocol import Message
from assets.teacher.spotlight import unmarked

KINDS = ("email", "phone", "card", "iban", "secret", "name")


def without_personal_data(document: Document, key: str) -> Document:
    """Return the document with a pseudonym for each address, number and named person.

    `key` is that of the pseudonyms: without it nobody can try names against them.
    """
    people = people_of(document)

    def clean(text: str) -> str:
        return redact(text, KINDS, key, people)[0]

    turns = [{name: clean(value) for name, value in turn.items()} for turn in document.turns]
    metadata = {name: clean(value) for name, value in document.metadata.items()}
    return replace(document, text=clean(document.text), turns=turns, metadata=metadata)


def people_of(document: Document) -> tuple[str, ...]:
    """Return the full names of the persons whom the document's source names."""
    return tuple(filter(None, document.metadata.get("people", "").split("\n")))


def personal_values(document: Document) -> dict[str, str]:
    """Return each piece of personal data that the document holds, and its kind."""
    people = people_of(document)
    texts = [document.text, *(turn["text"] for turn in document.turns), *people]
    return {value: kind for text in texts for value, kind in values(text, people=people)}


def leaked(messages: Iterable[Message], personal: Mapping[str, str]) -> str:
    """Return the kind of personal data that the messages hold, empty for none."""
    if not personal:
        return ""
    sent = unmarked("\n".join(message["content"] for message in messages))
    letters = _letters(sent)
    for value, kind in personal.items():
        if kind == "name":
            if re.search(rf"(?<!\w){re.escape(value)}(?!\w)", sent):
                return kind
        elif _letters(value) in letters:
            return kind
    return ""


def _letters(text: str) -> str:
    """Spaces, dashes and brackets hide no number."""
    return re.sub(r"[^\w@.]", "", text)
