"""What a source yields: a text, a row that it could not read, or a row that is rightly left out.

A source is a file of `assets/extraction/sources` with a class `Options` and

    def read(path: Path, options: Options) -> Iterator[SourceRow]
"""

from dataclasses import dataclass

from assets.records import RawRow, UnreadableRow

MAX_EXCERPT = 200  # characters of an unreadable row that are kept


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that is whole and yet no document: counted, never held against the limit."""

    reason: str  # one word, as in the metadata's `skipped_repost`


SourceRow = RawRow | UnreadableRow | Skipped


def unreadable(file: str, row: int, reason: str, text: str = "") -> UnreadableRow:
    """Return the row with its reason and the beginning of its text on one line."""
    excerpt = " ".join(text[: MAX_EXCERPT * 2].split())[:MAX_EXCERPT]
    return UnreadableRow(file=file, row=row, reason=reason, excerpt=excerpt)
