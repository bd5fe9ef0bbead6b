"""Which mails belong to one thread: by References and In-Reply-To, whoever of them is missing.

    <a>                                     one thread, though <b> was deleted
    <c>  References: <a> <b>
    <d>  In-Reply-To: <b>

Mails of one subject that name no other mail are threads of their own.
"""

import re
from collections.abc import Iterable, Sequence

from assets.extraction.mail.headers import Headers

_ANGLED = re.compile(r"<([^<>\s]+)>")
_MAX_REFERENCES = 1000


def message_ids(headers: Headers, name: str) -> list[str]:
    """Return the message ids of a header, oldest first; words around them are passed over."""
    value = headers.get(name, "")
    found = _ANGLED.findall(value) or [word for word in value.split() if "@" in word]
    return found[:_MAX_REFERENCES]


def threads(ids: Sequence[Iterable[str]]) -> list[list[int]]:
    """Return the mails of each thread by their number.

    Args:
        ids: of each mail its own id and all that it refers to.
    """
    roots: dict[str, str] = {}

    def root(id: str) -> str:
        path = []
        while (above := roots.setdefault(id, id)) != id:
            path.append(id)
            id = above
        roots.update(dict.fromkeys(path, id))
        return id

    first = [next(iter(mail)) for mail in ids]
    for own, mail in zip(first, ids, strict=True):
        for id in mail:
            roots[root(id)] = root(own)
    groups: dict[str, list[int]] = {}
    for number, own in enumerate(first):
        groups.setdefault(root(own), []).append(number)
    return list(groups.values())
