"""The tables of a LinkedIn data export: in its zip, its folder, or alone.

    Basic_LinkedInDataExport_03-01-2026.zip
      Shares.csv, Comments.csv, messages.csv, Profile.csv

Names vary in case and may carry an id: `Shares_17529409.csv`.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from assets.extraction.fingerprint import files_under
from assets.extraction.tables.csv_rows import CsvRow, Opener, csv_rows

Table = tuple[str, Opener]  # the name that a person knows it by
_WRAPPED_BREAK = re.compile(r'"(\r\n|\r|\n)"')


@dataclass(frozen=True)
class Export:
    """An export, and how much of it may be unpacked."""

    path: Path
    max_unpacked_megabytes: int = 200

    def tables(self, name: str, part: str) -> list[Table]:
        """Return the tables called `name`; a path to a single file is that table, however called.

        Raises ValueError where there is none, saying to ask LinkedIn for `part`, and where the zip
        is not to be trusted.
        """
        if self.path.is_file() and not self._is_zip():
            return [_table(self.path)]
        found, names = self._named(name)
        if not found:
            there = ", ".join(sorted(names)[:10]) or "nothing"
            raise ValueError(
                f"{self.path.name} holds no {name} but: {there}. Ask LinkedIn for an export "
                f"with “{part}”, or point extraction.path at the table"
            )
        return found

    def tables_beside(self, name: str) -> list[Table]:
        """Return the tables called `name` of the same export, if any: beside a single file too."""
        if self.path.is_file() and not self._is_zip():
            spelled = _spelled(name)
            files = [f for f in self.path.parent.iterdir() if spelled.fullmatch(f.name)]
            return [_table(file) for file in sorted(files)]
        return self._named(name)[0]

    def _named(self, name: str) -> tuple[list[Table], list[str]]:
        """Return the tables called `name`, and the names of all there is."""
        spelled = _spelled(name)
        if self._is_zip():
            members = _members(self.path)
            wanted = [m for m in members if spelled.fullmatch(PurePosixPath(m.filename).name)]
            self._require_readable(wanted)
            wanted.sort(key=lambda m: m.filename)
            tables = [(m.filename, _member_opener(self.path, m)) for m in wanted]
            return tables, [m.filename for m in members]
        files = files_under(self.path)
        return [_table(f) for f in files if spelled.fullmatch(f.name)], [f.name for f in files]

    def _is_zip(self) -> bool:
        if self.path.is_file() and zipfile.is_zipfile(self.path):
            return True
        if self.path.suffix.lower() == ".zip" and self.path.exists():
            raise ValueError(f"{self.path.name} is no whole zip file: download the export again")
        return False

    def _require_readable(self, members: list[zipfile.ZipInfo]) -> None:
        megabytes = sum(m.file_size for m in members) / 1e6
        if megabytes > self.max_unpacked_megabytes:
            raise ValueError(
                f"{self.path.name} unpacks to {megabytes:.0f} MB of "
                f"{members[0].filename}, more than max_unpacked_megabytes "
                f"{self.max_unpacked_megabytes}: check where it is from, or raise that limit"
            )
        if locked := [m.filename for m in members if m.flag_bits & 1]:
            raise ValueError(
                f"{self.path.name}: {locked[0]} is encrypted; unpack it and give the folder"
            )


@contextmanager
def undamaged(path: Path) -> Iterator[None]:
    """What breaks off inside a zip becomes a ValueError that says what to do."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ValueError(f"{path.name} is damaged ({error}): download the export again") from error


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


def owner_name(export: Export) -> str:
    """Return the name in the export's Profile.csv; empty where there is none."""
    required = ("First Name", "Last Name")
    for file, opener in export.tables_beside("Profile.csv"):
        for row in csv_rows(opener, file, required):
            if isinstance(row, CsvRow):
                return " ".join(row.cells[column].strip() for column in required).strip()
    return ""


def _spelled(name: str) -> re.Pattern[str]:
    stem = re.escape(name.removesuffix(".csv"))
    return re.compile(rf"{stem}(?:[_ -]?\(?\d+\)?)?\.csv", re.IGNORECASE)


def _table(file: Path) -> Table:
    return file.name, lambda: file.open("rb")


def _members(path: Path) -> list[zipfile.ZipInfo]:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    for member in members:
        name = member.filename.replace("\\", "/")
        if name.startswith("/") or ".." in PurePosixPath(name).parts or name[1:2] == ":":
            raise ValueError(
                f"{path.name} holds {member.filename!r}, a path that climbs out of the zip: "
                "it is no LinkedIn export, do not unpack it"
            )
    return members


def _member_opener(path: Path, member: zipfile.ZipInfo) -> Opener:
    return lambda: cast(BinaryIO, zipfile.ZipFile(path).open(member))
