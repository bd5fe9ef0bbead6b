"""Renders texts with entities: one label a token, -100 on the special ones.

A sample's `spans` is JSON over the characters of its `text`, of "Hi Maria" for instance
`[{"start": 3, "end": 8, "label": "NAME"}]`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from assets.loading.entities import OUTSIDE, Span, encode, labels_of, spans_of, tags_of
from assets.records import Row, Sample, TrainingExample
from assets.templating.render import MASKED, Rendered

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# unreadable   no list of spans, or one that is not in the text: it blocks the training
# cut          the entity stands at or behind the end of max_length
# unaligned    it begins or ends inside of a token; the whole token is labelled
Fault = Literal["unreadable", "cut", "unaligned"]


@dataclass(frozen=True)
class Tagged(Rendered):
    """Training examples with a label a token, and what could not be labelled as it stands."""

    faults: tuple[Row, ...]  # {"id": "5f0c…", "fault": "cut", "entity": "NAME at 310 to 324"}
    labels: tuple[str, ...]  # of the tokens, in the order of their index


def render_tokens(
    samples: Sequence[Sample], tokenizer: "PreTrainedTokenizerBase", max_length: int
) -> Tagged:
    """Render texts with their entities; the labels are those of all samples, sorted."""
    faults: list[Row] = []
    spans = {s.id: _read(s, faults) for s in samples}
    labels = labels_of(sorted({span["label"] for found in spans.values() for span in found}))
    index = {label: i for i, label in enumerate(labels)}
    examples, truncated = [], set()
    for s in samples:
        text = s.fields["text"]
        ids, offsets = encode(text, tokenizer)
        tags, unaligned = tags_of(text, offsets, spans[s.id])
        faults += [_fault(s, "unaligned", span) for span in unaligned]
        if len(ids) > max_length:
            truncated.add(s.id)
            ids, offsets = encode(text, tokenizer, max_length)
            end = max((place[1] for place in offsets if place), default=0)
            faults += [_fault(s, "cut", span) for span in spans[s.id] if span["end"] > end]
            tags, _ = tags_of(text, offsets, spans[s.id])
        numbers = [MASKED if tag is None else index[tag] for tag in tags]
        examples.append(TrainingExample(s.id, s.group_id, s.split, text, ids, numbers))
    return Tagged(examples, frozenset(truncated), tuple(faults), tuple(labels))


def token_problems(
    examples: Sequence[TrainingExample], faults: Iterable[Mapping[str, object]], labels: list[str]
) -> list[str]:
    """Return what is wrong with texts whose tokens are labelled."""
    problems = []
    if wrong := [f for f in faults if f["fault"] == "unreadable"]:
        first = f"{wrong[0]['id']} first: {wrong[0]['entity']}"
        problems.append(f"{len(wrong)} rows have spans that cannot be read, {first}")
    if empty := [e for e in examples if not e.text.strip()]:
        problems.append(f"{len(empty)} rows have no text, {empty[0].id} first")
    entities = {label[2:] for label in labels if label != OUTSIDE}
    seen = {labels[i][2:] for e in examples if e.split == "train" for i in e.labels if i != MASKED}
    if not entities:
        problems.append("no row holds an entity: there is nothing to learn")
    if missing := sorted(entities - seen):
        problems.append(f"the training split holds no {', '.join(missing)}")
    return problems


def mark_entities(
    example: TrainingExample, tokenizer: "PreTrainedTokenizerBase", labels: Sequence[str]
) -> str:
    """Return the text with its entities as the labels tell them: `Hi ⟦Maria⟧NAME`."""
    _, offsets = encode(example.text, tokenizer, len(example.input_ids))
    tags = [None if label == MASKED else labels[label] for label in example.labels]
    text = example.text
    for span in reversed(spans_of(text, offsets, tags)):
        entity = f"⟦{text[span['start'] : span['end']]}⟧{span['label']}"
        text = text[: span["start"]] + entity + text[span["end"] :]
    return text


def _read(sample: Sample, faults: list[Row]) -> list[Span]:
    try:
        return _spans(sample.fields.get("spans", ""), sample.fields["text"])
    except ValueError as error:
        faults.append({"id": sample.id, "fault": "unreadable", "entity": str(error)})
        return []


def _spans(written: str, text: str) -> list[Span]:
    """Return the spans in the order of the text; ValueError says what is wrong with them."""
    shape = {"start": int, "end": int, "label": str}
    read = json.loads(written)
    if not isinstance(read, list):
        raise ValueError(f"spans are no list but {written[:40]!r}")
    for span in read:
        if not isinstance(span, dict) or {k: type(v) for k, v in span.items()} != shape:
            raise ValueError(f"a span is {span!r}; it needs start, end and label")
    spans: list[Span] = sorted(read, key=lambda span: span["start"])
    for span in spans:
        if not 0 <= span["start"] < span["end"] <= len(text) or not span["label"].strip():
            raise ValueError(f"{_named(span)} is not within the {len(text)} characters of its text")
    for one, other in pairwise(spans):
        if other["start"] < one["end"]:
            raise ValueError(f"{_named(one)} and {_named(other)} overlap")
    return spans


def _fault(sample: Sample, fault: Fault, span: Span) -> Row:
    return {"id": sample.id, "fault": fault, "entity": _named(span)}


def _named(span: Span) -> str:
    return f"{span['label']} at {span['start']} to {span['end']}"
