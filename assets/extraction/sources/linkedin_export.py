r"""The posts of a LinkedIn data export: `Shares.csv`, alone, in the export's folder or its zip.

    Date,ShareLink,ShareCommentary,SharedUrl,MediaUrl,Visibility
    2026-03-01 08:10:00,https://…%3Ashare%3A733,"First line""\n""second line",,,MEMBER_NETWORK

Many exports wrap each line break of a post in quotes, as above; that is undone.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from pydantic import Field, field_validator

from assets.discovery import Options as PlugInOptions
from assets.extraction.fingerprint import files_under
from assets.extraction.rows import Skipped, SourceRow
from assets.extraction.tables.csv_rows import CsvRow, Opener, csv_rows
from assets.records import RawRow

COLUMNS = {"text": "ShareCommentary", "id": "ShareLink", "date": "Date"}
_SHARES = re.compile(r"shares(?:[_ -]?\(?\d+\)?)?\.csv", re.IGNORECASE)
_ONLY_LINKS = re.compile(r"(?:https?://\S+\s*)+")
_WRAPPED_BREAK = re.compile(r'"(\r\n|\r|\n)"')


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
    try:
        for file, opener in _tables(path, options):
            for row in csv_rows(opener, file, required):
                yield _post(row, file, columns) if isinstance(row, CsvRow) else row
    except (zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path.name} is damaged ({error}): download the export again") from error


def _post(row: CsvRow, file: str, columns: Mapping[str, str]) -> SourceRow:
    values = {name: row.cells.get(column, "").strip() for name, column in columns.items()}
    text = unwrap_line_breaks(values.pop("text"))
    if not text.strip('" \r\n\t'):
        return Skipped("repost")
    if _ONLY_LINKS.fullmatch(text):
        return Skipped("only_link")
    group = values.pop("id") or text
    return RawRow(text=text, group=group, origin=f"{file}, row {row.number}", metadata=values)


def unwrap_line_breaks(text: str) -> str:
    """Return the post with `"` newline `"` as a plain line break.

    Where some breaks are bare, a wrapped one may also be one quotation under another: then it
    counts as wrapped only if the line before it has a quote too many.
    """
    if len(_WRAPPED_BREAK.findall(text)) == len(re.findall(r"\r\n|\r|\n", text)):
        return _WRAPPED_BREAK.sub(r"\1", text)
    made = ""
    for line in re.split(r"(?<=\n)", text):
        wrapped = made.endswith('"\n') and line.startswith('"')
        if wrapped and made[:-1].rpartition("\n")[2].count('"') % 2:
            made, line = made.removesuffix('"\n') + "\n", line[1:]
        made += line
    return made


def _tables(path: Path, options: Options) -> list[tuple[str, Opener]]:
    if path.is_file() and zipfile.is_zipfile(path):
        return _in_zip(path, options)
    if path.suffix.lower() == ".zip":
        raise ValueError(f"{path.name} is no whole zip file: download the export again")
    files = files_under(path)
    if path.is_dir():
        names = [file.name for file in files]
        files = [file for file in files if _SHARES.fullmatch(file.name)]
        _require_shares(path, files, names)
    return [(file.name, lambda file=file: file.open("rb")) for file in files]


def _in_zip(path: Path, options: Options) -> list[tuple[str, Opener]]:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    for member in members:
        name = member.filename.replace("\\", "/")
        if name.startswith("/") or ".." in PurePosixPath(name).parts or name[1:2] == ":":
            raise ValueError(
                f"{path.name} holds {member.filename!r}, a path that climbs out of the zip: "
                "it is no LinkedIn export, do not unpack it"
            )
    shares = [m for m in members if _SHARES.fullmatch(PurePosixPath(m.filename).name)]
    _require_shares(path, shares, [m.filename for m in members])
    megabytes = sum(m.file_size for m in shares) / 1e6
    if megabytes > options.max_unpacked_megabytes:
        raise ValueError(
            f"{path.name} unpacks to {megabytes:.0f} MB of posts, more than max_unpacked_megabytes "
            f"{options.max_unpacked_megabytes}: check where it is from, or raise that limit"
        )
    if locked := [m.filename for m in shares if m.flag_bits & 1]:
        raise ValueError(f"{path.name}: {locked[0]} is encrypted; unpack it and give the folder")
    shares.sort(key=lambda m: m.filename)
    return [(m.filename, _member_opener(path, m)) for m in shares]


def _member_opener(path: Path, member: zipfile.ZipInfo) -> Opener:
    return lambda: cast(BinaryIO, zipfile.ZipFile(path).open(member))


def _require_shares(path: Path, shares: list, names: list[str]) -> None:
    if not shares:
        found = ", ".join(sorted(names)[:10]) or "nothing"
        raise ValueError(
            f"{path.name} holds no Shares.csv but: {found}. Ask LinkedIn for an export with "
            "“Posts and activity”, or point extraction.path at the table"
        )
