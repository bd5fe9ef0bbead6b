"""The kinds of training examples: what a sample needs to become one, and how its rows are read."""

from collections.abc import Sequence
from typing import Literal

from assets.records import PreferenceExample, RetrievalExample, Row, Sample, TrainingExample

Kind = Literal["chat", "preference", "retrieval", "text", "tokens", "plain"]
Example = TrainingExample | PreferenceExample | RetrievalExample

# What samples need so that they can be rendered as a kind; the first that fits is theirs.
NEEDED: dict[Kind, set[str]] = {
    "preference": {"prompt", "chosen", "rejected"},
    "chat": {"prompt", "completion"},
    "retrieval": {"anchor", "positive"},
    "text": {"label"},
    "tokens": {"text", "spans"},
    "plain": {"text"},
}
# Of a row, what its data version is the hash of: ids, tokens, labels and route, not the text.
_IDENTITY = {
    *("id", "split", "input_ids", "labels", "route"),
    *("chosen_input_ids", "chosen_labels", "rejected_input_ids", "rejected_labels"),
}


def kind_of(samples: Sequence[Sample], wanted: Kind | None) -> Kind:
    """Return the kind to render the samples as; raises ValueError where they cannot be."""
    there = set[str]().union(*(s.fields for s in samples))
    found: Kind | None = next((kind for kind in NEEDED if NEEDED[kind] <= there), None)
    if found is None or (wanted and not NEEDED[wanted] <= there):
        needs = ", ".join(sorted(NEEDED[wanted])) if wanted else "those of one of its objectives"
        raise ValueError(
            f"the samples hold the fields {', '.join(sorted(there))}; the objective needs {needs}: "
            "name the teacher task that makes them"
        )
    return wanted or found


def read(kind: Kind, rows: Sequence[Row]) -> Sequence[Example]:
    """Return the rows of a table of training examples as records."""
    if kind == "preference":
        return [PreferenceExample.from_row(row) for row in rows]
    if kind == "retrieval":
        return [RetrievalExample.from_row(row) for row in rows]
    return [TrainingExample.from_row(row) for row in rows]


def identity(rows: Sequence[Row]) -> list[list[object]]:
    """Return what of the rows decides their data version."""
    return [[value for name, value in row.items() if name in _IDENTITY] for row in rows]


def tokens(example: Example) -> int:
    """Return the length of the example's longest sequence."""
    if isinstance(example, TrainingExample):
        return len(example.input_ids)
    if isinstance(example, PreferenceExample):
        return max(len(example.chosen_input_ids), len(example.rejected_input_ids))
    return max(map(len, example.input_ids))


def shown(example: Example) -> Row:
    """Return what a person wants to see of an example."""
    row: Row = {"id": example.id, "split": example.split, "text": example.text}
    if isinstance(example, RetrievalExample):
        row |= {"positive": example.positive, "negative": example.negative}
    return row
