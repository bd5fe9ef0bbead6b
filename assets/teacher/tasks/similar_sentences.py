"""For each text one that means the same, and one that only sounds like it.

    anchor    "The parcel came two weeks late."
    positive  "My delivery was a fortnight overdue."
    negative  "The parcel came two weeks early."

A teacher writes both. Without one they are mined: the positive is the nearest other text that is no
near-copy, the negative the nearest that is near but clearly further, of another group. Nothing
crosses a split, and a text without such partners gives no sample.
"""

from collections.abc import Mapping, Sequence
from typing import Self

from pydantic import Field, model_validator

from assets import discovery
from assets.embedding import DEFAULT_MODEL, EmbeddingModel, embed, paired_similarities
from assets.records import SPLITS, Document
from assets.similarity.near_duplicates import jaccard
from assets.teacher.mining import Rows, nearest
from assets.teacher.protocol import Checked, Example, Fields, Message, Refused, Schema
from assets.teacher.spotlight import RULE, as_data

VERSION: str = "1"
SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "paraphrase": {"type": "string", "description": "the same meaning in other words"},
        "negative": {"type": "string", "description": "similar words, another meaning"},
    },
    "required": ["paraphrase", "negative"],
    "additionalProperties": False,
}
_TEXT = "The parcel came two weeks late."
_PARAPHRASE = "My delivery was a fortnight overdue."
_NEGATIVE = "The parcel came two weeks early."
EXAMPLE = Example(
    document=Document("example", "example", "train", _TEXT),
    answer={"paraphrase": _PARAPHRASE, "negative": _NEGATIVE},
    samples=[{"anchor": _TEXT, "positive": _PARAPHRASE, "negative": _NEGATIVE}],
)
_SYSTEM = (
    "You write training data for a model that compares the meaning of texts. For the given text "
    "write a paraphrase, which means the same in other words and another order, and a negative, "
    "which keeps many of its words and its subject and yet says something else that a reader could "
    f"not mistake for it. Both in the text's language and about as long as the text.\n{RULE}"
)


class Options(discovery.Options):
    """What counts as the same meaning."""

    # Above this share of common word pairs a paraphrase is a copy.
    max_copied: float = Field(default=0.8, gt=0, le=1)
    # Offline, cosine similarity of the embedding model:
    min_similarity: float = Field(default=0.6, ge=-1, le=1)  # a partner below it is none
    max_similarity: float = Field(default=0.95, ge=-1, le=1)  # above it is a near-copy
    negative_margin: float = Field(default=0.1, gt=0)  # a negative is so much less like than that
    min_negative_similarity: float = Field(default=0.2, ge=-1, le=1)  # below it is too easy
    embedding_model: EmbeddingModel = DEFAULT_MODEL  # mines offline, and audits

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.min_negative_similarity < self.min_similarity < self.max_similarity:
            raise ValueError(
                f"min_negative_similarity {self.min_negative_similarity:g} < min_similarity "
                f"{self.min_similarity:g} < max_similarity {self.max_similarity:g} must hold"
            )
        return self


def messages(document: Document, options: Options) -> list[Message]:
    """Return the instruction and the text."""
    return [
        {"role": "system", "content": _SYSTEM},
        {"role": "user", "content": as_data("text", document.text)},
    ]


def parse(document: Document, answer: Mapping[str, object], options: Options) -> list[Fields]:
    """Return anchor, positive and negative; ValueError says why the answer is refused."""
    written = {name: answer.get(name) for name in ("paraphrase", "negative")}
    texts = {name: " ".join(t.split()) for name, t in written.items() if isinstance(t, str)}
    if missing := [name for name in written if not texts.get(name)]:
        raise ValueError(f"the answer has no text under {missing[0]!r}")
    fields = {
        "anchor": document.text,
        "positive": texts["paraphrase"],
        "negative": texts["negative"],
    }
    if problem := _copied(fields, options):
        raise ValueError(problem)
    return [fields]


def _copied(fields: Fields, options: Options) -> str:
    share = jaccard(fields["anchor"], fields["positive"])
    if share > options.max_copied:
        return f"the paraphrase is a copy: {share:.0%} of the word pairs are the text's"
    for name in ("anchor", "positive"):
        if jaccard(fields[name], fields.get("negative", "")) == 1:
            return f"the negative is the {'text' if name == 'anchor' else 'paraphrase'} itself"
    return ""


def offline(documents: Sequence[Document], options: Options) -> dict[str, list[Fields] | Refused]:
    """Return what is mined among the documents of each split."""
    made: dict[str, list[Fields] | Refused] = {}
    for split in SPLITS:
        texts = sorted((d for d in documents if d.split == split), key=lambda d: d.id)
        if texts:
            made |= _mined(texts, options)
    return made


def _mined(documents: list[Document], options: Options) -> dict[str, list[Fields] | Refused]:
    vectors = embed([d.text for d in documents], options.embedding_model)
    every = Rows(vectors, [d.id for d in documents])
    positives = nearest(every, every, 1, [options.max_similarity] * len(documents))
    paired = [n for n, found in enumerate(positives) if _near(found, options.min_similarity)]
    groups = [d.group_id for d in documents]
    ceilings = [positives[n][0].similarity - options.negative_margin for n in paired]
    negatives = nearest(
        Rows(vectors[paired], [groups[n] for n in paired]), Rows(vectors, groups), 1, ceilings
    )
    outcomes: dict[str, list[Fields] | Refused] = {
        d.id: Refused(
            f"no other text of the split is like it: similarity {options.min_similarity:g} to "
            f"{options.max_similarity:g}"
        )
        for d in documents
    }
    for number, found in zip(paired, negatives, strict=True):
        document, positive = documents[number], documents[positives[number][0].row]
        outcomes[document.id] = (
            [_fields(document, positive, documents[found[0].row])]
            if _near(found, options.min_negative_similarity)
            else Refused("no other group of the split has a text near it that says something else")
        )
    return outcomes


def _near(found: list, lowest: float) -> bool:
    return bool(found) and found[0].similarity >= lowest


def _fields(anchor: Document, positive: Document, negative: Document) -> Fields:
    return {"anchor": anchor.text, "positive": positive.text, "negative": negative.text}


def faults(checked: Sequence[Checked], options: Options) -> dict[str, str]:
    """Return the paraphrases that are copies, and the negatives that are paraphrases."""
    rows = sorted(checked, key=lambda c: c.sample.id)
    anchors, positives, negatives = (
        embed([c.sample.fields[name] for c in rows], options.embedding_model)
        for name in ("anchor", "positive", "negative")
    )
    reasons: dict[str, str] = {}
    likeness = (paired_similarities(anchors, others) for others in (positives, negatives))
    for each, positive, negative in zip(rows, *likeness, strict=True):
        if reason := _fault(each.sample.fields, positive, negative, options):
            reasons[each.sample.id] = reason
    return reasons


def _fault(fields: Fields, positive: float, negative: float, options: Options) -> str:
    if problem := _copied(fields, options):
        return problem
    if negative > options.max_similarity and negative >= positive:
        return (
            f"the negative is a paraphrase: {negative:.2f} like the text, the positive "
            f"{positive:.2f}"
        )
    return ""
