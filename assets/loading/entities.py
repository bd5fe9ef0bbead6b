"""Entities of a text as one tag a token, and back: BIO, at the offsets of a fast tokenizer.

    text      "Hi Maria Lindholm"       spans  [{"start": 3, "end": 17, "label": "NAME"}]
    offsets   None (0, 2) (3, 8) (9, 12) (12, 17)  None
    tags      None   O    B-NAME I-NAME  I-NAME    None

It goes along with a registered model, so it knows nothing of the rest of the project.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

OUTSIDE = "O"
Offsets = Sequence[tuple[int, int] | None]  # characters of each token; None of a special one


class Span(TypedDict):
    """An entity: where it stands in the text, in characters, and what it is."""

    start: int
    end: int  # of the first character after it
    label: str


def labels_of(entities: Sequence[str]) -> list[str]:
    """Return the tags that a model learns for these kinds of entities, sorted."""
    return sorted([OUTSIDE, *(f"{mark}-{entity}" for entity in entities for mark in "BI")])


def encode(
    text: str, tokenizer: "PreTrainedTokenizerBase", max_length: int | None = None
) -> tuple[list[int], Offsets]:
    """Return the ids and the offsets of a text's tokens, cut at `max_length` where it is given."""
    if not tokenizer.is_fast:
        raise ValueError(
            f"{type(tokenizer).__name__} does not tell where its tokens stand in the text: "
            "choose a base model with a fast tokenizer (tokenizer.json)"
        )
    made: Any = tokenizer(
        text,
        truncation=max_length is not None,
        max_length=max_length,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
        verbose=False,
    )
    places = zip(made["offset_mapping"], made["special_tokens_mask"], strict=True)
    return list(made["input_ids"]), [None if special else tuple(o) for o, special in places]


def tags_of(
    text: str, offsets: Offsets, spans: Sequence[Span]
) -> tuple[list[str | None], list[Span]]:
    """Return a tag for each token, and the spans that begin or end inside of a token.

    A token that holds more than its entity is tagged whole: masking too much is the lesser harm.
    """
    places = [_trimmed(text, place) for place in offsets]
    tags: list[str | None] = [None if place is None else OUTSIDE for place in offsets]
    unaligned: list[Span] = []
    for span in sorted(spans, key=lambda s: s["start"]):
        inside = [i for i, place in enumerate(places) if _overlap(place, span)]
        free = [i for i in inside if tags[i] == OUTSIDE]
        for number, i in enumerate(free):
            tags[i] = f"{'I' if number else 'B'}-{span['label']}"
        if free != inside or not _covers(places, inside, text, span):
            unaligned.append(span)
    return tags, unaligned


def spans_of(text: str, offsets: Offsets, tags: Sequence[str | None]) -> list[Span]:
    """Return the entities that the tags tell; an I that continues nothing begins one."""
    spans: list[Span] = []
    before = OUTSIDE  # the tag of the token before, whatever has no characters left aside
    for place, tag in zip(offsets, tags, strict=True):
        at = _trimmed(text, place)
        if at is None or tag is None or at[0] == at[1]:
            continue
        mark, _, label = tag.partition("-")
        if label and mark == "I" and before.partition("-")[2] == label:
            spans[-1]["end"] = at[1]
        elif label:
            spans.append(Span(start=at[0], end=at[1], label=label))
        before = tag
    return spans


def masked(text: str, spans: Sequence[Span]) -> str:
    """Return the text with a mark in the place of each entity: `Hi [NAME]`."""
    for span in sorted(spans, key=lambda s: s["start"], reverse=True):
        text = f"{text[: span['start']]}[{span['label']}]{text[span['end'] :]}"
    return text


def _trimmed(text: str, place: tuple[int, int] | None) -> tuple[int, int] | None:
    """Return the place without the white space that some tokenizers count to their tokens."""
    if place is None:
        return None
    start, end = place
    words = text[start:end]
    left = start + len(words) - len(words.lstrip())
    return left, max(left, start + len(words.rstrip()))


def _overlap(place: tuple[int, int] | None, span: Span) -> bool:
    if place is None:
        return False
    start, end = place
    if start == end:  # white space: of the entity where it stands within
        return span["start"] < start < span["end"]
    return start < span["end"] and span["start"] < end


def _covers(
    places: Sequence[tuple[int, int] | None], inside: Sequence[int], text: str, span: Span
) -> bool:
    covered = [place for i in inside if (place := places[i]) is not None]
    if not covered:
        return False
    wanted = _trimmed(text, (span["start"], span["end"]))
    return (covered[0][0], max(end for _, end in covered)) == wanted
