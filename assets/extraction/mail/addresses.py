"""Who is named in a header: `"Lindholm, Anna" <anna@x.example>, ben@y.example`.

The standard library's grammar of addresses is left out: junk makes it recurse without end.
"""

import re
from dataclasses import dataclass

from assets.extraction.mail.headers import Headers, decoded

_MAX_HEADER = 8000  # characters; a longer list is a mailing's, no conversation's
_PIECE = re.compile(r"(?:\"(?:[^\"\\]|\\.)*\"|[^\",;])+")
_ANGLE = re.compile(r"<\s*([^<>\s]+@[^<>\s]+)\s*>")
_BARE = re.compile(r"[^\s<>\"(),;:]+@[^\s<>\"(),;:]+")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address in lower case, and the name shown for it; empty where there is none."""

    address: str
    name: str = ""


def mailboxes(headers: Headers, *names: str) -> list[Mailbox]:
    """Return the mailboxes of the headers called `names`, in their order."""
    return [box for name in names for box in _mailboxes(headers.get(name, ""))]


def _mailboxes(value: str) -> list[Mailbox]:
    found: list[Mailbox] = []
    waiting = ""  # a name whose comma nobody quoted
    for piece in _PIECE.findall(value[:_MAX_HEADER]):
        address = next(iter(_ANGLE.findall(piece)[-1:] or _BARE.findall(piece)[-1:]), "")
        if not address:
            waiting = f"{waiting}, {piece.strip()}".strip(", ")
            continue
        name = _name(piece, address)
        found.append(Mailbox(address.lower(), f"{waiting}, {name}" if waiting and name else name))
        waiting = ""
    return found


def _name(piece: str, address: str) -> str:
    before, _, behind = piece.rpartition(address)
    shown = before.rstrip(" <") or behind.strip(" >()")
    name = decoded(shown.rpartition(":")[2].replace('\\"', '"')).strip("\"' \t")
    return "" if "@" in name else name
