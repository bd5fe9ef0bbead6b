"""Bytes of a mail into text, whatever they are said to be: names lie, are unknown, are absent."""

import base64
import binascii
import quopri
import re

# What these names promise is so often wrong that UTF-8, which seldom fits by chance, goes first.
_UNRELIABLE = {"", "ascii", "us-ascii", "iso-8859-1", "latin-1", "latin1", "windows-1252", "cp1252"}
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "ks_c_5601-1987": "cp949", "iso-8859-1": "cp1252"}
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")


def decode_text(raw: bytes, charset: str = "") -> str:
    """Return the text; what fits no charset at all is read as Windows' Latin, never refused."""
    name = charset.strip("'\" ").lower()
    tries = [_WIDER.get(name, name), "utf-8"]
    if name in _UNRELIABLE:
        tries = ["utf-8", "cp1252"]
    for encoding in tries:
        try:
            return raw.decode(encoding)
        except (LookupError, ValueError):  # unknown name; wrong bytes
            continue
    return raw.decode("cp1252", errors="replace")


def decode_transfer(raw: bytes, encoding: str) -> bytes:
    """Return the bytes behind base64 or quoted-printable, as many as can be had."""
    encoding = encoding.strip().lower()
    if encoding == "base64":
        return decode_base64(raw)
    if encoding == "quoted-printable":
        return quopri.decodestring(raw)
    return raw


def decode_base64(raw: bytes) -> bytes:
    """Return the decoded bytes; foreign characters and a wrong length are passed over."""
    letters = _NOT_BASE64.sub(b"", raw.partition(b"=")[0])
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    try:
        return base64.b64decode(letters + b"=" * (-len(letters) % 4))
    except binascii.Error:  # cannot be: the alphabet and the length are right
        return b""
