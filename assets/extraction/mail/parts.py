"""The first plain and the first HTML text of a mail.

    multipart/mixed
      multipart/alternative
        text/plain                 the text
        text/html                  the links, and the text where there is no plain one
      application/pdf, 20 MB       counted

Attachments are stepped over, never decoded.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.utils import collapse_rfc2231_value

from assets.extraction.mail.boxes import Mail
from assets.extraction.mail.charset import decode_text, decode_transfer
from assets.extraction.mail.headers import Buffer, Headers, content, read_headers

MAX_TEXT = 1 << 21  # bytes of one text, as sent, that are read
_MAX_DEPTH = 20
_MAX_PARTS = 1000
_QUOTED_FROM = re.compile(rb"(?m)^>(>*From )")


@dataclass
class Parts:
    """What a mail holds."""

    headers: Headers
    plain: str = ""
    html: str = ""
    attachments: int = 0
    cut: bool = False  # a text was longer than MAX_TEXT


def read_parts(mail: Mail) -> Parts:
    """Return the texts of a mail, in memory bounded by MAX_TEXT."""
    headers, body = read_headers(mail.raw, mail.start, mail.end)
    parts = Parts(headers)
    _walk(mail, headers, body, mail.end, 0, parts)
    return parts


def _walk(mail: Mail, headers: Headers, body: int, end: int, depth: int, parts: Parts) -> None:
    about = content(headers)
    kind = about.get_content_type()
    boundary = about.get_boundary() if kind.startswith("multipart/") else None
    sections = (
        [*_sections(mail.raw, body, end, boundary.encode("utf-8", "replace"))] if boundary else []
    )
    if sections and depth < _MAX_DEPTH:
        for start, stop in sections:
            inner, text = read_headers(mail.raw, start, stop)
            _walk(mail, inner, text, stop, depth + 1, parts)
    elif _is_attachment(about):
        parts.attachments += 1
    elif kind == "text/html":
        parts.html = parts.html or _text(mail, about, body, end, parts)
    else:
        parts.plain = parts.plain or _text(mail, about, body, end, parts)


def _is_attachment(about: Message) -> bool:
    """A multipart whose parts cannot be told apart is read as one text."""
    text = about.get_content_type() in ("text/plain", "text/html")
    text = text or about.get_content_maintype() == "multipart"
    return not text or about.get_content_disposition() == "attachment"


def _sections(raw: Buffer, start: int, end: int, boundary: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each part begins and ends; a mail that was cut ends with its last part."""
    delimiter = b"--" + boundary
    part = -1
    found = raw.find(delimiter, start, end)
    for _ in range(_MAX_PARTS):
        if found < 0:
            break
        after = found + len(delimiter)
        line = raw.find(b"\n", after, end)
        rest = raw[after : min(after + 80, end if line < 0 else line)].strip()
        if (found == start or raw[found - 1 : found] == b"\n") and rest in (b"", b"--"):
            if part >= 0:
                yield part, max(part, found - 1)
            part = -1 if rest == b"--" or line < 0 else line + 1
            if part < 0:
                return
        found = raw.find(delimiter, after, end)
    if part >= 0:
        yield part, end


def _text(mail: Mail, about: Message, body: int, end: int, parts: Parts) -> str:
    parts.cut = parts.cut or end - body > MAX_TEXT
    raw = mail.raw[body : min(end, body + MAX_TEXT)]
    if mail.from_quoted:
        raw = _QUOTED_FROM.sub(rb"\1", raw)
    raw = decode_transfer(raw, str(about.get("content-transfer-encoding", "")))
    text = decode_text(raw, about.get_content_charset("")).replace("\r\n", "\n")
    if _parameter(about, "format") == "flowed":
        text = _unflow(text, delete_space=_parameter(about, "delsp") == "yes")
    return text


def _parameter(about: Message, name: str) -> str:
    value = about.get_param(name, "")
    return collapse_rfc2231_value(value or "").lower()


def _unflow(text: str, delete_space: bool) -> str:
    """Join the lines that `format=flowed` broke (RFC 3676): those that end with a space."""
    made: list[str] = []
    depth, flowing = 0, False
    for line in text.split("\n"):
        quotes = len(line) - len(line.lstrip(">"))
        words = line[quotes:].removeprefix(" ")
        if flowing and quotes == depth and words != "-- ":
            made[-1] += words
        else:
            made.append((">" * quotes + " " if quotes else "") + words)
        flowing, depth = words.endswith(" ") and words != "-- ", quotes
        if flowing and delete_space:
            made[-1] = made[-1][:-1]
    return "\n".join(made)
