"""Personal data that stands in a text undisguised.

    "ring +44 20 7946 0958, Anna"            ->  phone, and name where the people hold an Anna
    "ring <phone-1a2b3c>, <name-3fa2c1>"     ->  nothing
    "https://bank.example/4111111111111111"  ->  nothing

What stands in a link is part of the link.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Literal

from assets.personal_data.checksums import is_iban, luhn
from assets.personal_data.names import find_names

Finding = Literal["email", "phone", "card", "iban", "name"]
FINDINGS: tuple[Finding, ...] = ("email", "phone", "card", "iban", "name")

_LINK = re.compile(r"\w+://\S+|(?:[\w-]+\.)+[a-z]{2,24}[/?#:]\S*", re.IGNORECASE)
_PSEUDONYM = re.compile(r"person-[0-9a-f]{6}@[\w.-]+|<[a-z]+-[0-9a-f]{6}>")
# Only what can hardly be anything else: extraction also reads the words around a number.
_PATTERNS: dict[str, re.Pattern[str]] = {
    "email": re.compile(r"(?<!\w)\w[\w.+'-]*@(?:[\w-]+\.)+[^\W\d_]{2,24}(?!\w)"),
    "phone": re.compile(  # +44 20 7946 0958, (415) 555-0134
        r"(?<![\w,/#@=&%+$€£-])(?:\+\d(?:[ ().-]{0,2}\d){7,13}"
        r"|\([2-9]\d\d\) ?[2-9]\d\d[ .-]\d{4})(?![\w@%]|[ .-]?\d|:\d)"
    ),
    "card": re.compile(r"(?<![\w#-])(?:\d[ -]?){12,18}\d(?![\w%]|[ -]?\d)"),
    "iban": re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)"),
}
_CARD_RANGES = re.compile(r"4\d{15}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|6(?:011|5\d\d)\d{12}")


def findings(
    text: str, look_for: Sequence[Finding] = FINDINGS, people: Collection[str] = ()
) -> list[Finding]:
    """Return the kinds that `text` holds, in the order of `look_for`.

    Names are found only where `people` names them.
    """
    bare = _bare(text)
    return [kind for kind in look_for if any(_of_kind(kind, bare, people))]


def values(
    text: str, look_for: Sequence[Finding] = FINDINGS, people: Collection[str] = ()
) -> list[tuple[str, Finding]]:
    """Return each piece of personal data with its kind, as `findings` finds them."""
    bare = _bare(text)
    return [(value, kind) for kind in look_for for value in _of_kind(kind, bare, people)]


def _bare(text: str) -> str:
    return _PSEUDONYM.sub(" ", _LINK.sub(" ", text))


def _of_kind(kind: Finding, text: str, people: Collection[str]) -> Iterator[str]:
    if kind == "name":
        text = _PATTERNS["email"].sub(" ", text)  # an address is no name, though it may hold one
        yield from (text[start:end] for start, end, _ in find_names(text, people))
        return
    genuine = _CHECKSUMS.get(kind, bool)
    yield from (match[0] for match in _PATTERNS[kind].finditer(text) if genuine(match[0]))


def _is_card(value: str) -> bool:
    digits = re.sub(r"\D", "", value)
    return _CARD_RANGES.fullmatch(digits) is not None and luhn(digits)


def _holds_iban(value: str) -> bool:
    """Return whether the checksum fits up to a space: capitals may follow an IBAN."""
    groups = value.split(" ")
    return any(is_iban("".join(groups[:count])) for count in range(1, len(groups) + 1))


_CHECKSUMS: dict[str, Callable[[str], bool]] = {"card": _is_card, "iban": _holds_iban}
