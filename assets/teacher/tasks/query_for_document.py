"""A search query for each document, and a document that the query must not find.

    query     "parcel never came, want my money back"
    document  "A refund for a lost parcel is paid once the carrier has closed its search. …"

The query is what a person types who needs the document and doesn't know its words, so one that
copies a run of its words is refused. Without a teacher it is metadata that reads like a query (a
title), else the document's key phrases: these are its own words, and teach a model less.

Hard negatives are mined over all samples, whoever made the queries: of the same split and another
group, the nearest to the query that is clearly less like it than the right document is (Moreira
et al. 2024). What is as like it may well be an answer too.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from pydantic import Field

from assets import discovery
from assets.embedding import DEFAULT_MODEL, EmbeddingModel, embed, paired_similarities
from assets.records import SPLITS, Document
from assets.teacher.key_phrases import key_phrases
from assets.teacher.mining import Neighbour, Rows, nearest
from assets.teacher.protocol import (
    Checked,
    Example,
    Fields,
    Message,
    Refused,
    Schema,
    one_by_one,
)
from assets.teacher.quoting import quotes
from assets.teacher.spotlight import RULE, as_data

if TYPE_CHECKING:
    from assets.embedding import Vectors

VERSION: str = "1"
MIN_WORDS, MAX_WORDS = 2, 12
PHRASES = 3  # offline
SCHEMA: Schema = {
    "type": "object",
    "properties": {"query": {"type": "string", "description": f"{MIN_WORDS} to {MAX_WORDS} words"}},
    "required": ["query"],
    "additionalProperties": False,
}
_DOCUMENT = (
    "A refund for a lost parcel is paid once the carrier has closed its search, at the latest 14 "
    "days after the promised date. It goes to the card that the order was paid with."
)
_QUERY = "package never arrived, get my money back"
EXAMPLE = Example(
    document=Document("example", "example", "train", _DOCUMENT),
    answer={"query": _QUERY},
    samples=[{"anchor": _QUERY, "positive": _DOCUMENT}],
)
_SYSTEM = (
    "You write what people type into a search box. Read the document and write the one query of a "
    f"person who needs it and has never seen it: {MIN_WORDS} to {MAX_WORDS} words, in the "
    "document's language, about what it alone answers. The person doesn't know its words: use "
    f"everyday ones, and copy no phrase. No quotation marks, names or numbers.\n{RULE}"
)


class Options(discovery.Options):
    """How a query may sound, and what it is contrasted with."""

    max_quoted_words: int = Field(default=3, ge=1)  # a longer run of the document's words: refused
    # Offline: metadata that reads like a query, such as a title; unset, key phrases.
    query_from: str | None = None
    # Mined for each query: `negative`, `negative_2` and so on; fewer where too few are near.
    hard_negatives: int = Field(default=1, ge=0, le=8)
    # How much less like the query than its document a negative is; higher is safer and easier.
    negative_margin: float = Field(default=0.05, ge=0)
    # The audit's: a query that is this much more like another document is a fault. Good queries
    # that share no word with their document are up to 0.2 off.
    contradiction_margin: float = Field(default=0.25, gt=0)
    embedding_model: EmbeddingModel = DEFAULT_MODEL  # mines the negatives, and audits the queries


def messages(document: Document, options: Options) -> list[Message]:
    """Return the instruction and the document."""
    return [
        {"role": "system", "content": _SYSTEM},
        {"role": "user", "content": as_data("document", document.text)},
    ]


def parse(document: Document, answer: Mapping[str, object], options: Options) -> list[Fields]:
    """Return query and document; ValueError says why the query is refused."""
    query = answer.get("query")
    if not isinstance(query, str):
        raise ValueError(f"the answer has no text under 'query' but {query!r}")
    return [_fields(query, document, options)]


def offline(documents: Sequence[Document], options: Options) -> dict[str, list[Fields] | Refused]:
    """Return the document's metadata or its key phrases as the query."""

    def make(document: Document) -> list[Fields]:
        if options.query_from is None:
            return [_fields(_typed(document, options), document, options)]
        query = document.metadata.get(options.query_from)
        if not query:
            raise ValueError(f"the document has no metadata {options.query_from!r}")
        return [_fields(query, document, options)]

    return one_by_one(make, documents)


def finish(checked: Sequence[Checked], options: Options) -> dict[str, Fields]:
    """Return the samples that get hard negatives, with them."""
    if not options.hard_negatives:
        return {}
    changed: dict[str, Fields] = {}
    for rows in _by_split(checked):
        for each, found in zip(rows, _negatives(rows, options), strict=True):
            names = ["negative", *(f"negative_{n}" for n in range(2, len(found) + 1))]
            texts = [rows[neighbour.row].sample.fields["positive"] for neighbour in found]
            changed[each.sample.id] = each.sample.fields | dict(zip(names, texts, strict=False))
    return changed


def _by_split(checked: Sequence[Checked]) -> list[list[Checked]]:
    """Return the samples of each split, by id: no pair crosses a split."""
    ordered = sorted(checked, key=lambda c: (SPLITS.index(c.sample.split), c.sample.id))
    return [list(rows) for _, rows in groupby(ordered, key=lambda c: c.sample.split)]


def _negatives(rows: list[Checked], options: Options) -> list[list[Neighbour]]:
    anchors, positives = _vectors(rows, options)
    ceilings = [own - options.negative_margin for own in paired_similarities(anchors, positives)]
    groups = [each.sample.group_id for each in rows]
    return nearest(Rows(anchors, groups), Rows(positives, groups), options.hard_negatives, ceilings)


def faults(checked: Sequence[Checked], options: Options) -> dict[str, str]:
    """Return the queries that quote their document, or match another of these clearly better."""
    reasons: dict[str, str] = {}
    for rows in _by_split(checked):
        anchors, positives = _vectors(rows, options)
        groups = [each.sample.group_id for each in rows]
        found = nearest(Rows(anchors, groups), Rows(positives, groups))
        own = paired_similarities(anchors, positives)
        for each, similarity, others in zip(rows, own, found, strict=True):
            if reason := _fault(each, similarity, [(rows[o.row], o) for o in others], options):
                reasons[each.sample.id] = reason
    return reasons


def _fault(
    each: Checked, own: float, others: list[tuple[Checked, Neighbour]], options: Options
) -> str:
    fields = each.sample.fields
    if run := quotes(fields["anchor"], fields["positive"], options.max_quoted_words):
        return f"the query quotes its document: {run!r}"
    for other, neighbour in others:
        if neighbour.similarity > own + options.contradiction_margin:
            return (
                f"the query is more like document {other.document.id} "
                f"({neighbour.similarity:.2f}) than like its own ({own:.2f})"
            )
    return ""


def _vectors(rows: list[Checked], options: Options) -> "tuple[Vectors, Vectors]":
    anchors, positives = (
        embed([each.sample.fields[name] for each in rows], options.embedding_model)
        for name in ("anchor", "positive")
    )
    return anchors, positives


def _fields(query: str, document: Document, options: Options) -> Fields:
    query = " ".join(query.split())
    if not MIN_WORDS <= len(query.split()) <= MAX_WORDS:
        raise ValueError(f"the query {query!r} has not {MIN_WORDS} to {MAX_WORDS} words")
    if run := quotes(query, document.text, options.max_quoted_words):
        raise ValueError(
            f"the query {query!r} copies {run!r}: more than {options.max_quoted_words} words of "
            "the document in a row"
        )
    return {"anchor": query, "positive": document.text}


def _typed(document: Document, options: Options) -> str:
    """Return the best key phrases as they are typed; a phrase that makes it a quote stays out."""
    query: list[str] = []
    used: set[str] = set()
    for phrase in key_phrases(document.text):
        longer = [*query, phrase.text.lower()]
        if used & set(phrase.words):
            continue
        if not quotes(" ".join(longer), document.text, options.max_quoted_words):
            query, used = longer, used | set(phrase.words)
        if len(query) == PHRASES:
            break
    return " ".join(query)
