"""What the labelling tasks share: their options, the question, and which label a sample gets.

    labels: {positive: The customer is happy., negative: The customer complains.}

A test sample gets the label that people gave where the source holds one: a model that is scored by
the teacher that labelled its training data is scored for agreeing with it. Training and eval
samples get the teacher's, beside `gold_label`, so that the teacher can be scored too.
"""

import json
from collections.abc import Mapping
from functools import partial

from pydantic import Field, field_validator

from assets import discovery
from assets.embedding import DEFAULT_MODEL, EmbeddingModel
from assets.records import Document
from assets.teacher.protocol import Fields, Message, Refused, Request, Schema, Stages
from assets.teacher.spotlight import RULE, as_data

NO_LABEL = "none"


class LabelOptions(discovery.Options):
    """The labels, and when one is trusted."""

    labels: dict[str, str] = Field(min_length=2)  # each with a sentence that is true of its texts
    gold_from: str = "gold_label"  # the metadata that holds people's labels, where there are any
    # Offline: a text whose best two labels are nearer than this gives no sample.
    min_margin: float = Field(default=0.0, ge=0)
    # The audit's: a label that the embedding model puts this far behind another is a fault.
    contradiction_margin: float = Field(default=0.075, gt=0)
    embedding_model: EmbeddingModel = DEFAULT_MODEL  # labels offline, and audits a teacher

    @field_validator("labels")
    @classmethod
    def _said_in_words(cls, labels: dict[str, str]) -> dict[str, str]:
        if NO_LABEL in labels:
            raise ValueError(f"{NO_LABEL!r} is what a teacher answers where no label fits")
        if wordless := [name for name, words in labels.items() if not (name and words.strip())]:
            raise ValueError(f"the label {wordless[0]!r} needs words that are true of its texts")
        return labels


def gold_label(document: Document, options: LabelOptions) -> str:
    """Return the label that people gave, empty where they gave none; ValueError for another."""
    gold = document.metadata.get(options.gold_from, "")
    if gold and gold not in options.labels:
        known = ", ".join(options.labels)
        raise ValueError(f"{options.gold_from} {gold!r} is none of the labels: {known}")
    return gold


def is_scored(document: Document, options: LabelOptions) -> bool:
    """Return whether people's label is the one: no method has to be asked for another."""
    return bool(gold_label(document, options)) and document.split == "test"


def labelled(document: Document, label: str, options: LabelOptions) -> Fields:
    """Return body, subject where there is one, and label; people's own beside it or in its place.

    Args:
        document: as raw_documents has it.
        label: the teacher's or the offline method's; not read where people's is the one.
        options: the task's.
    """
    fields = {"body": document.text}
    if subject := document.metadata.get("subject"):
        fields["subject"] = subject
    gold = gold_label(document, options)
    if is_scored(document, options):
        return {**fields, "label": gold}
    return {**fields, "label": label, **({"gold_label": gold} if gold else {})}


def text_of(document: Document) -> str:
    """Return what is labelled: the subject where there is one, and the text."""
    subject = document.metadata.get("subject", "")
    return f"{subject}\n{document.text}" if subject else document.text


def instruction(options: LabelOptions) -> Message:
    """Return the labels in words, and how to answer."""
    labels = "\n".join(f"- {label}: {words}" for label, words in options.labels.items())
    said = (
        "You sort texts by label. Read the text and answer with the one label that fits it best, "
        f"or with {NO_LABEL} where no label fits.\n{labels}\n{RULE}"
    )
    return {"role": "system", "content": said}


def question(text: str) -> Message:
    """Return the text, marked as data."""
    return {"role": "user", "content": as_data("text", text)}


def answer(label: str) -> Message:
    """Return an answer as the teacher should write it."""
    return {"role": "assistant", "content": json.dumps({"label": label}, ensure_ascii=False)}


def schema(labels: Mapping[str, str]) -> Schema:
    """Return the answer's schema: one of the labels, or none of them."""
    return {
        "type": "object",
        "properties": {"label": {"type": "string", "enum": [*labels, NO_LABEL]}},
        "required": ["label"],
        "additionalProperties": False,
    }


def label_stages(document: Document, asked: list[Message], options: LabelOptions) -> Stages:
    """Ask for the label, unless people's is the one, and return the sample's fields."""
    if is_scored(document, options):
        return [labelled(document, "", options)]
    first = next(iter(options.labels))
    read = partial(_read, labels=options.labels)
    [label] = yield [Request(asked, schema(options.labels), read, stand_in={"label": first})]
    if isinstance(label, Refused):
        raise ValueError(label.reason)
    # Only here, and not where the answer is read: a repair try would press for a wrong label.
    return [_judged(document, label, options)]


def parse_label(
    document: Document, answer: Mapping[str, object], options: LabelOptions
) -> list[Fields]:
    """Return the fields of the sample; ValueError where the answer names no label."""
    return [_judged(document, _read(answer, options.labels), options)]


def _judged(document: Document, label: str, options: LabelOptions) -> Fields:
    if label == NO_LABEL:
        raise ValueError(f"the teacher's answer is {NO_LABEL}: no label fits the text")
    return labelled(document, label, options)


def _read(answer: Mapping[str, object], labels: Mapping[str, str]) -> str:
    label = answer.get("label")
    if label not in (*labels, NO_LABEL):
        allowed = ", ".join([*labels, NO_LABEL])
        raise ValueError(f"the answer's label is {label!r}; allowed: {allowed}")
    return str(label)
