"""A label for each text, from a few labelled examples beside what the labels mean in words.

Examples:
      positive: ["Lovely, I bought a second one."]
      negative: ["It broke on the first day."]

A teacher sees some of the examples as turns of the talk, drawn by the hash of the document so that
no one order speaks for all. Without a teacher a text is compared with the sentences of all examples
and with the descriptions: half the score each. On reviews sixteen examples a label did as well as
fitting descriptions alone (78 % right), four worse (75 %): there `zero_shot_label` is better.
"""

from collections.abc import Mapping, Sequence
from typing import Self

from pydantic import Field, model_validator

from assets.records import Document, content_hash
from assets.teacher.label_similarity import contradicted, described, label_offline
from assets.teacher.labelling import (
    LabelOptions,
    answer,
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
    """The labels with examples, and when a label is trusted."""

    examples: dict[str, list[str]]  # of each label, one at least; never out of the test data
    shots_per_label: int = Field(default=3, ge=1)  # how many of them a teacher sees, if there are

    @model_validator(mode="after")
    def _each_label_has_examples(self) -> Self:
        if without := [label for label in self.labels if not self.examples.get(label)]:
            raise ValueError(
                f"the label {without[0]!r} has no examples; zero_shot_label needs none"
            )
        if unknown := [label for label in self.examples if label not in self.labels]:
            known = ", ".join(self.labels)
            raise ValueError(f"examples of {unknown[0]!r}, which is none of the labels: {known}")
        return self


EXAMPLE_OPTIONS = Options(
    labels={"good": "praise", "bad": "blame"},
    examples={"good": ["Lovely."], "bad": ["Awful."]},
)
SCHEMA: Schema = schema(EXAMPLE_OPTIONS.labels)
_TEXT = "Two years old and it still runs all night on one charge."
EXAMPLE = Example(
    document=Document("example", "example", "train", _TEXT),
    answer={"label": "good"},
    samples=[{"body": _TEXT, "label": "good"}],
)


def messages(document: Document, options: Options) -> list[Message]:
    """Return the labels in words, the drawn examples as turns, and the text."""
    shots = [
        message
        for label, text in _drawn(document, options)
        for message in (question(text), answer(label))
    ]
    return [instruction(options), *shots, question(text_of(document))]


def _drawn(document: Document, options: Options) -> list[tuple[str, str]]:
    """Return label and text of the examples, mixed; a text is no example of itself."""
    drawn: list[tuple[str, str]] = []
    for label, texts in options.examples.items():
        others = {(label, text) for text in texts if text != document.text}
        drawn += sorted(others, key=lambda pair: content_hash([document.id, *pair]))[
            : options.shots_per_label
        ]
    return sorted(drawn, key=lambda pair: content_hash([document.id, "order", *pair]))


def parse(document: Document, answer: Mapping[str, object], options: Options) -> list[Fields]:
    """Return the labelled text; ValueError where the answer names no label."""
    return parse_label(document, answer, options)


def stages(document: Document, safe: Document, options: Options) -> Stages:
    """Ask for one of the labels; a test document that people labelled is not asked about."""
    return label_stages(document, messages(safe, options), options)


def offline(documents: Sequence[Document], options: Options) -> dict[str, list[Fields] | Refused]:
    """Return the label whose description and examples each text is most like."""
    return label_offline(documents, described(options, options.examples), options)


def faults(checked: Sequence[Checked], options: Options) -> dict[str, str]:
    """Return the labels that the embedding model contradicts."""
    return contradicted(checked, described(options, options.examples), options)
