"""What may leave the machine: a document without personal data, and the proof of it.

The pseudonyms are made by one set of rules and looked for by another: what the first overlooks in
a document, the second finds in the request.
"""

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self

from assets.personal_data.detect import findings, values
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


@dataclass(frozen=True)
class Personal:
    """What of a document must not be in a request."""

    values: Mapping[str, str]  # an address or a number -> its kind
    people: tuple[str, ...]

    @classmethod
    def of(cls, document: Document) -> Self:
        """Return the addresses and numbers in the document, and the people that it names."""
        texts = [document.text, *(turn["text"] for turn in document.turns)]
        found = (pair for text in texts for pair in values(text))
        return cls(dict(found), people_of(document))

    def leaked(self, messages: Iterable[Message], fixed: Container[str] = ()) -> str:
        """Return the kind of personal data that the messages hold, empty for none.

        `fixed` are the contents that the task says about every document: nobody's secret.
        """
        if not self.values and not self.people:
            return ""
        sent = [unmarked(m["content"]) for m in messages if m["content"] not in fixed]
        if self.people and any(findings(text, ("name",), self.people) for text in sent):
            return "name"
        letters = _letters("\n".join(sent))
        return next((k for value, k in self.values.items() if _letters(value) in letters), "")


def _letters(text: str) -> str:
    """Spaces, dashes and brackets hide no number."""
    return re.sub(r"[^\w@.]", "", text)
