"""Where one mail ends and the next begins: mbox, Maildir, a folder of .eml, one .eml.

Files are memory-mapped: an attachment of any size is stepped over, not read.
"""

import mmap
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assets.extraction.fingerprint import files_under

# "From 1823@xxx Mon Mar 02 08:10:00 +0000 2026" begins a mail; "From what I hear" does not.
_DATED = re.compile(
    rb"From (?:[^\n]{0,200} )?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? "
    rb"(?:[A-Z][a-z]{2} +\d{1,2}|\d{1,2} [A-Z][a-z]{2})[^\n]{0,40}\d\d:\d\d"
)
_THEN_HEADER = re.compile(rb"From [^\n]{0,400}\n[!-9;-~]+:")
_MAILBOX_SUFFIXES = {".mbox", ".mbx"}


@dataclass(frozen=True)
class Mail:
    """Where one mail lies in a file."""

    file: Path
    number: int  # 1-based, within the file
    raw: mmap.mmap | bytes
    start: int
    end: int
    from_quoted: bool  # an mbox wrote ">From " where a line began with "From "


def mails(path: Path) -> Iterator[Mail]:
    """Yield every mail under `path`, by file name, then in the order of the file.

    Raises ValueError where a folder holds no mail at all.
    """
    files = [f for f in files_under(path) if path.is_file() or _is_mail(f)]
    if not files:
        raise ValueError(
            f"{path.name} holds no mail: expected .mbox or .eml files, or a Maildir (cur and new)"
        )
    for file in files:
        with _mapped(file) as raw:
            if _is_mailbox(file, raw):
                yield from _of_mailbox(file, raw)
            else:
                yield Mail(file, 1, raw, 0, len(raw), from_quoted=False)


def name_under(path: Path, mail: Mail) -> str:
    """Return the name by which a person finds the mail's file: with its folder under `path`."""
    return mail.file.relative_to(path.parent).as_posix() if path.is_dir() else mail.file.name


def _is_mail(file: Path) -> bool:
    return file.suffix.lower() in {".eml", *_MAILBOX_SUFFIXES} or file.parent.name in {"cur", "new"}


def _is_mailbox(file: Path, raw: mmap.mmap | bytes) -> bool:
    if file.suffix.lower() == ".eml" or file.parent.name in {"cur", "new"}:
        return False
    return file.suffix.lower() in _MAILBOX_SUFFIXES or raw[:5] == b"From "


@contextmanager
def _mapped(file: Path) -> Iterator[mmap.mmap | bytes]:
    if not file.stat().st_size:  # nothing cannot be mapped
        yield b""
        return
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        yield raw


def _of_mailbox(file: Path, raw: mmap.mmap | bytes) -> Iterator[Mail]:
    number, start = 0, -1
    for position in _separators(raw):
        if start >= 0 or position > 0:  # what precedes the first "From " is a mail too, or junk
            number += 1
            yield _mail(file, number, raw, max(start, 0), position)
        start = position
    if start >= 0 or len(raw):
        yield _mail(file, number + 1, raw, max(start, 0), len(raw))


def _mail(file: Path, number: int, raw: mmap.mmap | bytes, start: int, end: int) -> Mail:
    if raw[start : start + 5] == b"From ":
        line = raw.find(b"\n", start, end)
        start = end if line < 0 else line + 1
    return Mail(file, number, raw, start, end, from_quoted=True)


def _separators(raw: mmap.mmap | bytes) -> Iterator[int]:
    """Yield where a "From " line begins that is no part of a mail's text."""
    if raw[:5] == b"From ":
        yield 0
    found = raw.find(b"\nFrom ")
    while found >= 0:
        start = found + 1
        blank = raw[max(0, start - 3) : start].endswith((b"\n\n", b"\n\r\n"))
        if _DATED.match(raw, start) or (blank and _THEN_HEADER.match(raw, start)):
            yield start
        found = raw.find(b"\nFrom ", start)
