"""A label for each text, from nothing but what the labels mean in words.

    text  "The zip broke on the first day, and nobody answers my mails."
    label "negative"

A teacher may say that no label fits; without one an embedding model compares the text with the
labels' descriptions. People's own labels, where the source holds some, are kept for scoring.
"""

from collections.abc import Mapping, Sequence

from assets.records import Document
from assets.teacher.label_similarity import contradicted, described, label_offline
from assets.teacher.labelling import (
    LabelOptions,
    instruction,
    label_stages,
    parse_label,
    question,
    schema,
    text_of,
)
from assets.teacher.protocol import Checked, Example, Fields, Message, Refused, Schema, Stages

VERSION: str = "1"


class Options(LabelOptions):
    """The labels, and when one is trusted."""


EXAMPLE_OPTIONS = Options(labels={"good": "praise", "bad": "blame"})
SCHEMA: Schema = schema(EXAMPLE_OPTIONS.labels)
_TEXT = "Two years old and it still runs all night on one charge."
EXAMPLE = Example(
    document=Document("example", "example", "train", _TEXT),
    answer={"label": "good"},
    samples=[{"body": _TEXT, "label": "good"}],
)


def messages(document: Document, options: Options) -> list[Message]:
    """Return the labels in words, and the text."""
    return [instruction(options), question(text_of(document))]


def parse(document: Document, answer: Mapping[str, object], options: Options) -> list[Fields]:
    """Return the labelled text; ValueError where the answer names no label."""
    return parse_label(document, answer, options)


def stages(document: Document, safe: Document, options: Options) -> Stages:
    """Ask for one of the labels; a test document that people labelled is not asked about."""
    return label_stages(document, messages(safe, options), options)


def offline(documents: Sequence[Document], options: Options) -> dict[str, list[Fields] | Refused]:
    """Return the label whose description each text is most like."""
    return label_offline(documents, described(options, {}), options)


def faults(checked: Sequence[Checked], options: Options) -> dict[str, str]:
    """Return the labels that the embedding model contradicts."""
    return contradicted(checked, described(options, {}), options)
