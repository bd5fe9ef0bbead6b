"""The links of a mail, one a line: `address`, or `visible text -> address` where they differ."""

import re
from collections.abc import Iterable

from assets.extraction.mail.html_text import Link

MAX_LINKS = 50
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"]+", re.IGNORECASE)
_TRAILING = ".,;:!?'\u2019\u201d*_"
_BRACKETS = {")": "(", "]": "[", "}": "{"}


def links_in(text: str) -> list[Link]:
    """Return the addresses written out in a text."""
    return [Link(_trimmed(match[0])) for match in _URL.finditer(text)]


def link_lines(links: Iterable[Link]) -> str:
    """Return distinct links, at most MAX_LINKS, in their order."""
    lines = [" ".join(_line(link).split()) for link in links]
    return "\n".join(list(dict.fromkeys(lines))[:MAX_LINKS])


def _line(link: Link) -> str:
    return f"{link.visible} -> {link.address}" if link.visible else link.address


def _trimmed(address: str) -> str:
    """Return the address without the sentence's own punctuation behind it."""
    while address:
        last = address[-1]
        opening = _BRACKETS.get(last)
        if last not in _TRAILING and (not opening or address.count(opening) >= address.count(last)):
            break
        address = address[:-1]
    return address
