"""The headers of a mail, decoded; a character cut between two encoded words is joined again.

    Subject: =?utf-8?Q?Caf=C3?= =?utf-8?Q?=A9?=   ->  {"subject": "Café"}

The standard library's grammar of addresses is left out: junk makes it recurse without end.
"""

import csv
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import parsedate_tz
from mmap import mmap

from assets.extraction.mail.charset import decode_base64, decode_text

Headers = Mapping[str, str]  # lower-case name -> raw value, unfolded; the first one wins
Buffer = bytes | mmap

MAX_HEADERS = 1 << 18  # bytes
_MAX_LABELS = 10_000  # characters
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(r"\r?\n[ \t]+")
_NAME = re.compile(r"[!-9;-~]+")
_WORD = re.compile(r"=\?([^?\s*]+)(?:\*[^?\s]*)?\?([bBqQ])\?([^?]*)\?=")
_BETWEEN_WORDS = re.compile(r"(?<=\?=)\s+(?==\?)")
_ANGLE = re.compile(r"<\s*([^<>\s]+@[^<>\s]+)\s*>")
_ADDRESS = re.compile(r"[^\s<>\"(),;:]+@[^\s<>\"(),;:]+")


def read_headers(raw: Buffer, start: int, end: int) -> tuple[Headers, int]:
    """Return the headers of the mail or part at `start`, and where its body begins."""
    if raw[start : start + 1] == b"\n" or raw[start : start + 2] == b"\r\n":
        return {}, start
    blank = _BLANK_LINE.search(raw, start, min(end, start + MAX_HEADERS))
    stop, body = (blank.start(), blank.end()) if blank else (min(end, start + MAX_HEADERS), end)
    text = _FOLD.sub(" ", raw[start:stop].decode("ascii", "surrogateescape"))
    headers: dict[str, str] = {}
    for line in text.split("\n"):
        name, colon, value = line.partition(":")
        if colon and _NAME.fullmatch(name):
            headers.setdefault(name.lower(), value.strip())
    return headers, body


def content(headers: Headers) -> Message:
    """Return the `Content-…` headers as a message that can be asked for their parameters."""
    message = Message()
    for name, value in headers.items():
        if name.startswith("content-"):
            message[name] = value.encode("ascii", "replace").decode()
    return message


def decoded(value: str) -> str:
    """Return a header's text; a character cut between two encoded words is joined again."""
    pieces: list[str] = []
    waiting: list[tuple[str, bytes]] = []  # encoded words that touch

    def flush() -> None:
        for i, (charset, raw) in enumerate(waiting):
            if i + 1 < len(waiting) and waiting[i + 1][0] == charset:
                waiting[i + 1] = (charset, raw + waiting[i + 1][1])
            else:
                pieces.append(decode_text(raw, charset))
        waiting.clear()

    value, position = _BETWEEN_WORDS.sub("", value), 0
    for word in _WORD.finditer(value):
        if word.start() > position:
            flush()
            pieces.append(_plain(value[position : word.start()]))
        waiting.append((word[1].lower(), _word_bytes(word[2], word[3])))
        position = word.end()
    flush()
    return " ".join("".join([*pieces, _plain(value[position:])]).split())


def _plain(text: str) -> str:
    return text if text.isascii() else decode_text(text.encode("utf-8", "surrogateescape"))


def _word_bytes(encoding: str, text: str) -> bytes:
    raw = text.encode("utf-8", "surrogateescape")
    if encoding in "bB":
        return decode_base64(raw)
    raw = raw.replace(b"_", b" ")
    return re.sub(rb"=([0-9A-Fa-f]{2})", lambda match: bytes.fromhex(match[1].decode()), raw)


def sender_address(headers: Headers) -> str:
    """Return the address of `From` in lower case, not one in the display name; empty if none."""
    value = decoded(headers.get("from", ""))
    if angles := _ANGLE.findall(value):
        return angles[-1].lower()
    match = _ADDRESS.search(value)
    return match[0].lower() if match else ""


def gmail_labels(headers: Headers) -> set[str]:
    """Return the labels that Google Takeout writes, in lower case."""
    line = decoded(headers.get("x-gmail-labels", ""))[:_MAX_LABELS]
    cells = next(csv.reader([line], skipinitialspace=True), [])
    return {cell.strip().casefold() for cell in cells}


def sent_at(headers: Headers) -> str:
    """Return `Date` in UTC as `2026-03-01 08:10:00`; empty where it is no date."""
    parsed = parsedate_tz(headers.get("date", ""))
    if parsed is None:
        return ""
    try:
        local = datetime(*parsed[:6], tzinfo=UTC)
        return f"{local - timedelta(seconds=parsed[9] or 0):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError):
        return ""
