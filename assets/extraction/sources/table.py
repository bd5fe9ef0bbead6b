"""A table of texts: CSV or TSV, JSON Lines, or Parquet, with the columns that you name.

    URL,Label
    login.harbour-line.example/verify?u=1,bad

is read with `text: URL, label: Label, labels: {bad: phishing, good: safe}`.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from assets.discovery import Options as PlugInOptions
from assets.extraction.domains import domain_of
from assets.extraction.fingerprint import files_under
from assets.extraction.rows import SourceRow, unreadable
from assets.extraction.tables.csv_rows import CsvRow, csv_rows
from assets.extraction.tables.encoding import detect_encoding
from assets.extraction.transcript import read_turns
from assets.records import RawRow, Turn, UnreadableRow


class Options(PlugInOptions):
    """Which column is what."""

    text: str = "text"  # the column that becomes the document
    label: str | None = None  # the column with the class; none for text without classes
    labels: dict[str, str] = Field(default_factory=dict)  # value -> class; others are unreadable
    group: str | None = None  # rows of one value never part between splits; else the text's own
    group_by: Literal["value", "domain"] = "value"  # domain: of the URL that the group column holds
    columns: dict[str, str] = Field(default_factory=dict)  # name in the metadata -> column
    # Of these names, which tell two rows of one text apart; the others leave them duplicates, of
    # which the earliest stays. null: all but `date`.
    distinct: tuple[str, ...] | None = None
    people: tuple[str, ...] = ()  # columns with names: replaced wherever the row has them
    turns: bool = False  # the text is a chat, `Speaker: words` a line; it becomes turns


Cells = Mapping[str, object]


def read(path: Path, options: Options) -> Iterator[SourceRow]:
    """Yield each row of the table; raises ValueError for an unknown format or a missing column."""
    readers: dict[str, Callable[..., Iterator[CsvRow | UnreadableRow]]] = {
        ".csv": _csv,
        ".tsv": _csv,
        ".jsonl": _json_lines,
        ".ndjson": _json_lines,
        ".parquet": _parquet,
    }
    for file in files_under(path):
        if file.suffix.lower() not in readers:
            raise ValueError(
                f"{file.name} is no table that can be read; there are: {', '.join(sorted(readers))}"
            )
        for row in readers[file.suffix.lower()](file, options):
            yield row if isinstance(row, UnreadableRow) else _document(row, file.name, options)


def _document(row: CsvRow, file: str, options: Options) -> SourceRow:
    cells = row.cells
    text = cells.get(options.text, "")
    if not text.strip():
        return unreadable(file, row.number, f"column {options.text!r} is empty")
    metadata = {name: cells.get(column, "").strip() for name, column in options.columns.items()}
    if options.label:
        label = _label(cells.get(options.label, "").strip(), options)
        if label is None:
            return unreadable(file, row.number, _no_label(cells[options.label], options), text)
        metadata["label"] = label
    group = cells.get(options.group or options.text, "").strip()
    if options.group_by == "domain":
        group = domain_of(group)
    turns, reason = _turns(text) if options.turns else ([], "")
    if reason:
        return unreadable(file, row.number, reason, text)
    return RawRow(
        text=text,
        group=group or text,
        origin=f"{file}, row {row.number}",
        metadata=metadata,
        turns=turns,
        people=tuple(name for c in options.people if (name := cells.get(c, "").strip())),
        distinct=("label", *_distinct(options)),
    )


def _distinct(options: Options) -> Iterable[str]:
    named = options.columns.keys() - {"date"}
    return sorted(named) if options.distinct is None else options.distinct


def _turns(text: str) -> tuple[list[Turn], str]:
    try:
        return read_turns(text), ""
    except ValueError as error:
        return [], str(error)


def _label(value: str, options: Options) -> str | None:
    return options.labels.get(value) if options.labels else value or None


def _no_label(value: str, options: Options) -> str:
    allowed = ", ".join(options.labels) or "anything but nothing"
    return f"label {value!r} is not in labels; allowed: {allowed}"


def _needed(options: Options) -> list[str]:
    columns = [options.text, options.label, options.group]
    columns += [*options.columns.values(), *options.people]
    return list(dict.fromkeys(column for column in columns if column))


def _csv(file: Path, options: Options) -> Iterator[CsvRow | UnreadableRow]:
    delimiter = "\t" if file.suffix.lower() == ".tsv" else ","
    yield from csv_rows(lambda: file.open("rb"), file.name, _needed(options), delimiter)


def _json_lines(file: Path, options: Options) -> Iterator[CsvRow | UnreadableRow]:
    with file.open("rb") as stream:
        encoding = detect_encoding(stream)
    with file.open(encoding=encoding, errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield _from_json(line, number, file.name, options)


def _from_json(line: str, number: int, file: str, options: Options) -> CsvRow | UnreadableRow:
    try:
        cells = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        return unreadable(file, number, f"no JSON: {error}", line)
    if not isinstance(cells, dict):
        return unreadable(file, number, "the line is no JSON object", line)
    if missing := [column for column in _needed(options) if column not in cells]:
        found = ", ".join(map(str, cells))
        return unreadable(file, number, f"no key {missing[0]!r}; there are: {found}", line)
    return CsvRow(number, _strings(cells, options))


def _parquet(file: Path, options: Options) -> Iterator[CsvRow | UnreadableRow]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    needed = _needed(options)
    try:
        table = pq.ParquetFile(file)
        if missing := [column for column in needed if column not in table.schema_arrow.names]:
            found = ", ".join(table.schema_arrow.names)
            raise ValueError(f"{file.name} has no column {missing[0]!r}; there are: {found}")
        number = 0
        for batch in table.iter_batches(batch_size=1024, columns=needed):
            for cells in batch.to_pylist():
                number += 1
                yield CsvRow(number, _strings(cells, options))
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{file.name} is no whole Parquet file: {error}") from error


def _strings(cells: Cells, options: Options) -> dict[str, str]:
    return {column: _string(cells[column]) for column in _needed(options)}


def _string(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=str)
