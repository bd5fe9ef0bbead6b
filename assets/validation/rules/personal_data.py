"""Personal data that extraction left, or that a teacher made up.

Pseudonyms (`person-3fa2c1@example.com`, `<phone-1a2b3c>`) are not personal data, and what stands in
a link is part of the link.
"""

import re
from collections.abc import Callable, Sequence
from typing import Literal

from assets import discovery
from assets.records import Sample

VERSION = "1"
Finding = Literal["email", "phone", "card", "iban"]

_LINK = re.compile(r"\w+://\S+|(?:[\w-]+\.)+[a-z]{2,24}[/?#:]\S*", re.IGNORECASE)
_PSEUDONYM = re.compile(r"person-[0-9a-f]{6}@[\w.-]+|<[a-z]+-[0-9a-f]{6}>")
# Only what can hardly be anything else: extraction also reads the words around a number.
_PATTERNS: dict[Finding, re.Pattern[str]] = {
    "email": re.compile(r"(?<!\w)\w[\w.+'-]*@(?:[\w-]+\.)+[^\W\d_]{2,24}(?!\w)"),
    "phone": re.compile(  # +44 20 7946 0958, (415) 555-0134
        r"(?<![\w,/#@=&%+$€£-])(?:\+\d(?:[ ().-]{0,2}\d){7,13}"
        r"|\([2-9]\d\d\) ?[2-9]\d\d[ .-]\d{4})(?![\w@%]|[ .-]?\d|:\d)"
    ),
    "card": re.compile(r"(?<![\w#-])(?:\d[ -]?){12,18}\d(?![\w%]|[ -]?\d)"),
    "iban": re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)"),
}
_CARD_RANGES = re.compile(r"4\d{15}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|6(?:011|5\d\d)\d{12}")


class Options(discovery.Options):
    """Looked for in the text fields of a sample."""

    look_for: tuple[Finding, ...] = ("email", "phone", "card", "iban")


def reject(samples: Sequence[Sample], options: Options) -> dict[str, str]:
    """Return the samples that hold personal data; the reason names its kind, never its value."""
    found = {sample.id: _problem(sample, options.look_for) for sample in samples}
    return {id: reason for id, reason in found.items() if reason}


def _problem(sample: Sample, look_for: tuple[Finding, ...]) -> str:
    for name in ("prompt", "completion", "subject", "body"):
        text = _PSEUDONYM.sub(" ", _LINK.sub(" ", sample.fields.get(name, "")))
        for kind in look_for:
            if any(_genuine(kind, match.group()) for match in _PATTERNS[kind].finditer(text)):
                return f"{kind} in {name}"
    return ""


def _genuine(kind: Finding, value: str) -> bool:
    return _CHECKSUMS[kind](value) if kind in _CHECKSUMS else True


def _is_card(value: str) -> bool:
    """Return whether an issuer's range and the Luhn checksum (ISO/IEC 7812) fit."""
    digits = re.sub(r"\D", "", value)
    every_second = [sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2]]
    total = sum(map(int, digits[-1::-2])) + sum(every_second)
    return _CARD_RANGES.fullmatch(digits) is not None and total % 10 == 0


def _holds_iban(value: str) -> bool:
    """Return whether the ISO 13616 checksum fits up to a space: capitals may follow an IBAN."""
    groups = value.split(" ")
    return any(_is_iban("".join(groups[:count])) for count in range(1, len(groups) + 1))


def _is_iban(value: str) -> bool:
    number = "".join(str(int(character, 36)) for character in value[4:] + value[:4])
    return 15 <= len(value) <= 34 and int(number) % 97 == 1


_CHECKSUMS: dict[Finding, Callable[[str], bool]] = {"card": _is_card, "iban": _holds_iban}
