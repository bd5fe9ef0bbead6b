"""What travels between rooms: one frozen record a row, and the hash that makes its identity.

A document, as `raw_documents` keeps it:

    {"id": "5f0c…", "group_id": "91ab…", "split": "train", "text": "Backfills are …",
     "metadata": {"date": "2026-03-01 08:10:00", "origin": "Shares.csv, row 12"}, "turns": []}
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Literal, Self

Split = Literal["train", "eval", "test"]
SPLITS: tuple[Split, ...] = ("train", "eval", "test")
Row = dict[str, object]  # a record as a table row: plain JSON values
# One turn of a conversation: speaker ("owner", or the person), text, and date, "" where unknown.
Turn = dict[str, str]


def content_hash(value: object) -> str:
    """Return 16 hex digits of SHA-256 over canonical JSON (sorted keys, no spaces)."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Record:
    """A row of a table; `to_row` and `from_row` are each other's inverse."""

    __slots__ = ()

    def to_row(self) -> Row:
        """Return the record as a plain dict, in the order of its fields."""
        return asdict(self)  # type: ignore[call-overload]

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> Self:
        """Build the record; a map's absent keys, which a table keeps as null, are dropped."""
        known = {f.name for f in fields(cls)}  # type: ignore[arg-type]
        return cls(**{k: _without_nulls(v) for k, v in row.items() if k in known})


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {k: v for k, v in value.items() if v is not None}
    return value


@dataclass(frozen=True, slots=True)
class RawRow(Record):
    """One text as a source yields it, before it is normalised."""

    text: str
    group: str  # rows of one group (thread, author, domain) never part between splits
    origin: str  # where a person finds it: "Shares.csv, row 12"
    metadata: dict[str, str] = field(default_factory=dict)
    turns: list[Turn] = field(default_factory=list)  # where set, the text is made of them
    people: tuple[str, ...] = ()  # full names of those whom the source names
    # Metadata that counts beside the text: rows that differ in one of them are no duplicates.
    distinct: tuple[str, ...] = ("subject", "label")


@dataclass(frozen=True, slots=True)
class UnreadableRow(Record):
    """A row that could not become a document, kept with the reason."""

    file: str
    row: int  # 1-based; the header is row 1 of a table
    reason: str
    excerpt: str = ""  # at most 200 characters


@dataclass(frozen=True, slots=True)
class Document(Record):
    """A clean text: normalised, pseudonymised, its split fixed by the hash of its group."""

    id: str
    group_id: str
    split: Split
    text: str
    metadata: dict[str, str] = field(default_factory=dict)
    turns: list[Turn] = field(default_factory=list)  # of a conversation, in their order


@dataclass(frozen=True, slots=True)
class Sample(Record):
    """What a model can learn from: `fields` holds prompt and completion, or text and label."""

    id: str
    document_id: str
    group_id: str
    split: Split
    fields: dict[str, str]
    method: str  # "offline", "passed_through", or the teacher's model name
    request_hash: str = ""  # the teacher request that it came from; empty without a teacher
    cost_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class RejectedSample(Record):
    """A sample that broke a rule, whole, so that nothing is lost."""

    id: str
    document_id: str
    group_id: str
    split: Split
    fields: dict[str, str]
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class TrainingExample(Record):
    """A rendered sample: token ids, and labels that are -100 where nothing is learnt.

    For classification `labels` holds one class index.
    """

    id: str  # the sample's id
    group_id: str
    split: Split
    text: str  # as rendered, before it became tokens
    input_ids: list[int]
    labels: list[int]
    route: str = ""  # which of several adapters it belongs to


@dataclass(frozen=True, slots=True)
class PreferenceExample(Record):
    """A rendered prompt with the answer that is wanted and the one that is not."""

    id: str
    group_id: str
    split: Split
    text: str  # prompt and wanted answer, as rendered
    chosen_input_ids: list[int]  # prompt and answer
    chosen_labels: list[int]  # -100 on the prompt
    rejected_input_ids: list[int]
    rejected_labels: list[int]


@dataclass(frozen=True, slots=True)
class RetrievalExample(Record):
    """Texts that an embedding model learns to bring together, and one to keep apart."""

    id: str
    group_id: str
    split: Split
    text: str  # the anchor, for instance a query
    positive: str
    negative: str  # empty: the other rows of a batch are the negatives
    input_ids: list[list[int]]  # of anchor, positive and negative, in this order


def to_rows(records: Iterable[Record]) -> list[Row]:
    """Return the records as rows in canonical order (by id, else as they came)."""
    rows = [record.to_row() for record in records]
    return sorted(rows, key=lambda row: str(row["id"])) if rows and "id" in rows[0] else rows
