r"""The posts of a LinkedIn data export: `Shares.csv`, alone, in the export's folder or its zip.

    Date,ShareLink,ShareCommentary,SharedUrl,MediaUrl,Visibility
    2026-03-01 08:10:00,https://…%3Ashare%3A733,"First line""\n""second line",,,MEMBER_NETWORK

Many exports wrap each line break of a post in quotes, as above; that is undone.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import Field, field_validator

from assets.discovery import Options as PlugInOptions
from assets.extraction.linkedin import Export, undamaged, unwrap_line_breaks
from assets.extraction.rows import Skipped, SourceRow
from assets.extraction.tables.csv_rows import CsvRow, csv_rows
from assets.records import RawRow

COLUMNS = {"text": "ShareCommentary", "id": "ShareLink", "date": "Date"}
_ONLY_LINKS = re.compile(r"(?:https?://\S+\s*)+")


class Options(PlugInOptions):
    """Where the posts lie in a table that is like `Shares.csv` and spells its columns otherwise."""

    # text, id and date name the post's columns; any further name goes into the metadata.
    columns: dict[str, str] = Field(default_factory=dict)
    max_unpacked_megabytes: int = Field(default=200, ge=1)  # a zip that unpacks to more is refused

    @field_validator("columns")
    @classmethod
    def _named(cls, columns: dict[str, str]) -> dict[str, str]:
        if empty := [name for name, column in columns.items() if not name or not column.strip()]:
            raise ValueError(f"columns: {empty[0]!r} names no column of the table")
        return columns


def read(path: Path, options: Options) -> Iterator[SourceRow]:
    """Yield each post with its link as the group; a repost without words is skipped.

    Raises ValueError where there is no table of posts, or the zip is not to be trusted.
    """
    columns = {**COLUMNS, **options.columns}
    required = list(dict.fromkeys([columns["text"], *options.columns.values()]))
    export = Export(path, options.max_unpacked_megabytes)
    with undamaged(path):
        for file, opener in export.tables("Shares.csv", "Posts and activity"):
            for row in csv_rows(opener, file, required):
                yield _post(row, file, columns) if isinstance(row, CsvRow) else row


def _post(row: CsvRow, file: str, columns: Mapping[str, str]) -> SourceRow:
    values = {name: row.cells.get(column, "").strip() for name, column in columns.items()}
    text = unwrap_line_breaks(values.pop("text"))
    if not text.strip('" \r\n\t'):
        return Skipped("repost")
    if _ONLY_LINKS.fullmatch(text):
        return Skipped("only_link")
    group = values.pop("id") or text
    return RawRow(text=text, group=group, origin=f"{file}, row {row.number}", metadata=values)
