r"""The rows of a CSV as people have them, in any encoding, whole or cut.

    Notes: "…"                                skipped: the header is the row with every column
    Date,ShareLink , ShareCommentary          spaces around a name are no part of it
    2026-03-01,https://…,"He said \"yes\""    a quote is doubled, or escaped by a backslash

A row is numbered as a spreadsheet shows it: the first row of the file is 1.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from assets.extraction.rows import unreadable
from assets.extraction.tables.encoding import detect_encoding
from assets.records import UnreadableRow

Opener = Callable[[], BinaryIO]
MAX_FIELD = 1 << 26  # characters; Python's own limit of 131,072 is shorter than some posts
_HEADER_WITHIN = 50  # rows
_BACKSLASHED = re.compile(r'\\"[^",\t;\r\n]')  # ends no field, so it is a quote inside one
_ESCAPED_QUOTE = re.compile(r'(?<!\\)((?:\\\\)*)\\"')


@dataclass(frozen=True)
class CsvRow:
    """One row: its number, as a spreadsheet shows it, and its cells by the header's names."""

    number: int
    cells: dict[str, str]


class _Lines:
    """The lines of a file; keeps those of the row that is being read."""

    def __init__(self, stream: io.TextIOWrapper, backslashed: bool) -> None:
        self._stream = stream
        self._backslashed = backslashed
        self.of_row: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._stream:
            text = _ESCAPED_QUOTE.sub(r'\1""', line) if self._backslashed else line
            self.of_row.append(text)
            yield text


def csv_rows(
    opener: Opener, file: str, required: Sequence[str], delimiter: str = ","
) -> Iterator[CsvRow | UnreadableRow]:
    """Yield each row below the header, streaming; a row that was cut or is too short is unreadable.

    Raises ValueError, with the columns that exist, where no row has all of `required`.
    """
    csv.field_size_limit(MAX_FIELD)
    with opener() as stream:
        encoding = detect_encoding(stream)
    with opener() as stream:
        text = io.TextIOWrapper(stream, encoding, errors="replace", newline="")
        lines = _Lines(text, _uses_backslashes(opener, encoding))
        yield from _rows(lines, file, required, delimiter)


def _rows(
    lines: _Lines, file: str, required: Sequence[str], delimiter: str
) -> Iterator[CsvRow | UnreadableRow]:
    reader = csv.reader(lines, delimiter=delimiter)
    header: list[str] = []
    first: list[str] = []
    number = 0
    while True:
        lines.of_row.clear()
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            yield unreadable(file, number, f"no CSV: {error}", "".join(lines.of_row)[:500])
            continue
        if not header:
            first = first or cells
            header = _header(cells, required)
            if number >= _HEADER_WITHIN and not header:
                break
        elif any(cell.strip() for cell in cells):
            reason = _fault(cells, header, required, lines.of_row, delimiter)
            named = CsvRow(number, dict(zip(header, cells, strict=False)))
            yield unreadable(file, number, reason, delimiter.join(cells)) if reason else named
    if not header and first:
        found = ", ".join(cell.strip("\ufeff ") for cell in first)
        raise ValueError(
            f"{file} has no column {_missing(first, required)!r}; its first row is: {found}. "
            "Name its columns under extraction in defs.yaml"
        )


def _header(cells: Sequence[str], required: Sequence[str]) -> list[str]:
    """Return the header's names, spelled as `required` does; empty where it is another row."""
    spelled = {name.casefold(): name for name in required}
    names = [cell.strip("\ufeff \t") for cell in cells]
    names = [spelled.get(name.casefold(), name) for name in names]
    return names if set(required) <= set(names) else []


def _missing(cells: Sequence[str], required: Sequence[str]) -> str:
    there = {cell.strip("\ufeff \t").casefold() for cell in cells}
    return next((name for name in required if name.casefold() not in there), required[0])


def _fault(
    cells: Sequence[str],
    header: Sequence[str],
    required: Sequence[str],
    lines: Sequence[str],
    delimiter: str,
) -> str:
    ended = lines[-1].endswith(("\n", "\r"))
    if not ended and (len(cells) < len(header) or _is_open("".join(lines), delimiter)):
        return "the file ends in the middle of this row: export it again"
    if len(cells) <= max(header.index(name) for name in required):
        return f"the row has {len(cells)} of {len(header)} columns"
    return ""


def _is_open(row: str, delimiter: str) -> bool:
    """Return whether a quoted field has no end; only a strict reader tells."""
    try:
        list(csv.reader(io.StringIO(row, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def _uses_backslashes(opener: Opener, encoding: str) -> bool:
    with opener() as stream:
        text = io.TextIOWrapper(stream, encoding, errors="replace", newline="")
        return any(_BACKSLASHED.search(line) for line in text)
