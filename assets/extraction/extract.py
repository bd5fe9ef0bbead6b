"""From the raw export to clean documents: read, normalise, pseudonymise, deduplicate, split."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from assets.discovery import find
from assets.extraction.config import ExtractionConfig
from assets.extraction.conversation import OWNER, text_of
from assets.extraction.fingerprint import files_under
from assets.extraction.normalize import normalize
from assets.extraction.rows import Skipped, SourceRow
from assets.extraction.split import count_splits, split_of
from assets.personal_data.redact import redact
from assets.records import Document, RawRow, Turn, UnreadableRow, content_hash

# Values that the source itself has put into form; every other value is a person's free text.
_FORMED = frozenset({"label", "date", "from_domain", "attachments"})


@dataclass(frozen=True)
class Extraction:
    """All that became of the export's rows."""

    documents: list[Document]
    unreadable: list[UnreadableRow]
    counts: dict[str, int | float]  # as the asset's metadata shows them


def extract(config: ExtractionConfig, key: str = "") -> Extraction:
    """Return the documents of an export.

    Raises FileNotFoundError where the export is missing and ValueError where it holds too little;
    both say what to do. `key` is that of the pseudonyms.
    """
    files_under(config.path)
    counts: Counter[str] = Counter({f"redacted_{kind}": 0 for kind in config.redact})
    documents: dict[str, Document] = {}
    unreadable: list[UnreadableRow] = []
    people: set[str] = set()
    for row in _rows(config):
        people.update(row.people if isinstance(row, RawRow) else ())
        if isinstance(row, Skipped):
            counts[f"skipped_{row.reason}"] += 1
        elif isinstance(row, UnreadableRow):
            unreadable.append(row)
        elif (document := _document(row, config, key, counts)).text:
            _add(documents, document, counts)
        else:
            counts["skipped_invisible"] += 1
    anybody = frozenset(people)
    unreadable = [_without_personal_data(row, config, key, anybody) for row in unreadable]
    _require_enough(config, len(documents), unreadable, counts)
    splits = count_splits((d.split for d in documents.values()), config.split)
    numbers = {
        "documents": len(documents),
        "unreadable": len(unreadable),
        "unreadable_rate": unreadable_rate(len(documents), len(unreadable)),
        "duplicates": counts.pop("duplicates", 0),
    }
    return Extraction([*documents.values()], unreadable, {**numbers, **splits, **counts})


def unreadable_rate(documents: int, unreadable: int) -> float:
    """Return the share of rows that should have become documents and did not."""
    return unreadable / max(1, documents + unreadable)


def _rows(config: ExtractionConfig) -> Iterator[SourceRow]:
    source = find(config.plugged["source"], config.source)
    return source.read(config.path, config.options("source"))


def _document(row: RawRow, config: ExtractionConfig, key: str, counts: Counter[str]) -> Document:
    people = tuple(filter(None, map(normalize, row.people)))

    def clean(text: str) -> str:
        text, found = redact(normalize(text), config.redact, key, people)
        counts.update({f"redacted_{kind}": number for kind, number in found.items()})
        return text

    turns = [made for turn in row.turns if (made := _clean_turn(turn, clean))["text"]]
    text = text_of(turns) if row.turns else clean(row.text)
    metadata = {k: v if k in _FORMED else clean(v) for k, v in row.metadata.items()}
    if people:
        metadata["people"] = "\n".join(sorted({" ".join(clean(p).split()) for p in people}))
    group_id = content_hash([config.source, row.group])
    return Document(
        id=content_hash([config.source, text, _identity(metadata, row.distinct)]),
        group_id=group_id,
        split=split_of(group_id, config.split),
        text=text,
        metadata={**metadata, "origin": row.origin},
        turns=turns,
    )


def _clean_turn(turn: Turn, clean: Callable[[str], str]) -> Turn:
    speaker = turn["speaker"]
    return {
        "speaker": speaker if speaker == OWNER else " ".join(clean(speaker).split()),
        "text": clean(turn["text"]),
        "date": turn["date"],
    }


def _without_personal_data(
    row: UnreadableRow, config: ExtractionConfig, key: str, people: frozenset[str]
) -> UnreadableRow:
    """Whom an unreadable row names is not known: it may be anybody of the export."""
    excerpt, _ = redact(normalize(row.excerpt), config.redact, key, people)
    return replace(row, excerpt=excerpt)


def _identity(metadata: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    return {k: metadata[k] for k in names if k in metadata}


def _add(documents: dict[str, Document], new: Document, counts: Counter[str]) -> None:
    """Of equal documents the earliest stays, so that a later copy draws no row to another side."""
    old = documents.setdefault(new.id, new)
    if old is not new:
        counts["duplicates"] += 1
        if new.metadata.get("date", "") < old.metadata.get("date", ""):
            documents[new.id] = new


def _require_enough(
    config: ExtractionConfig,
    documents: int,
    unreadable: list[UnreadableRow],
    counts: Mapping[str, int],
) -> None:
    if documents >= config.min_documents:
        return
    left_out = {k: n for k, n in counts.items() if k.startswith(("skipped_", "duplicates"))}
    left_out |= {"unreadable": len(unreadable)} if unreadable else {}
    aside = ", ".join(f"{name} {number}" for name, number in sorted(left_out.items()) if number)
    first = "".join(f"; {u.file}, row {u.row}: {u.reason}" for u in unreadable[:3])
    raise ValueError(
        f"{config.path.name} gave {documents} documents, fewer than min_documents "
        f"{config.min_documents} (left out: {aside or 'nothing'}{first}): "
        + ("export more, or lower min_documents" if documents else "it is empty, export again")
    )
