r"""Which encoding bytes are in.

    b"Caf\xe9"  ->  "cp1252"        b"Caf\xc3\xa9"  ->  "utf-8"

Their byte-order mark tells, then UTF-8's own rules; what breaks those is Windows' Latin.
"""

import codecs
from collections.abc import Iterable, Iterator
from typing import BinaryIO

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_REPLACED = "\ufffd"
_CHUNK = 1 << 20


def detect_encoding(stream: BinaryIO) -> str:
    """Return the encoding of a whole stream, which is read in bounded memory."""
    head = stream.read(_CHUNK)
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    if wide := _wide(head[:4096]):
        return wide
    good, bad = _count(_chunks(head, stream))
    # A few broken bytes in a UTF-8 text cost those characters, not all the others.
    return "utf-8" if bad == 0 or bad * 10 <= good else "cp1252"


def _wide(head: bytes) -> str | None:
    """Return UTF-16 without a mark: every second byte of Western text is zero."""
    for encoding, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        if len(zeros) > 8 and zeros.count(0) > len(zeros) * 0.6:
            return encoding
    return None


def _chunks(head: bytes, stream: BinaryIO) -> Iterator[bytes]:
    while head:
        yield head
        head = stream.read(_CHUNK)


def _count(chunks: Iterable[bytes]) -> tuple[int, int]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    good = bad = 0
    for chunk in chunks:
        if chunk.isascii() and not decoder.getstate()[0]:
            continue
        text = decoder.decode(chunk)
        broken = text.count(_REPLACED)
        bad += broken
        good += sum(character > "\x7f" for character in text) - broken
    return good, bad
