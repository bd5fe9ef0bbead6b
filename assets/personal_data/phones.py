"""Which numbers in a text are telephone numbers.

    "+49 30 901820", "(415) 555-0134", "020 7946 0958"      by their form
    "call 5550134 today"                                    by the word before them
    "2026-03-01 08:10", "order 0412345678", "10.0.0.138"    none

A number that could as well be an order's or an amount is left alone.
"""

import re

_CANDIDATE = re.compile(
    r"(?<![\w,/#@=&%+$€£-])(?<!\d[.:])[(+]{0,2}\d(?:[ ().\-\u2013/]{0,3}\d){6,14}"
    r"(?![\w@%]|[ .\-\u2013/]?\d|:\d)"
)
_DATE = re.compile(
    r"(?<!\d)(?:19|20)\d\d[-./ ][01]?\d[-./ ][0-3]?\d(?!\d)"
    r"|(?<!\d)[0-3]?\d[-./ ]{1,2}[01]?\d[-./ ]{1,2}(?:19|20)\d\d(?!\d)"
)
_IP = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_NORTH_AMERICA = re.compile(r"(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4}")
_NATIONAL = re.compile(r"\(?0[1-9].*", re.DOTALL)
_CALL = re.compile(
    r"(?:phone|tele[fp]h?on[eo]?|tel|mobile|mobil|cell|fax|whatsapp|hotline|call|ring|dial|text|sms)"
    r"\W{0,3}(?:(?:number|no|nr|is|us|me|back|at|on|under)\W{1,3}){0,3}$",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    r"\b(?:order|invoice|ref|reference|ticket|case|account|tracking|parcel|shipment|booking|customer|"
    r"reservation|policy|serial|code|id|no|nr|isbn)\W{0,3}(?:(?:number|no|nr|id|is)\W{1,3}){0,2}$",
    re.IGNORECASE,
)
_LOOK_BACK = 40  # characters before the number that may say what it is


def find_phones(text: str) -> list[tuple[int, int, str]]:
    """Return (start, end, canonical digits) of each telephone number, in the order of the text."""
    found = []
    for match in _CANDIDATE.finditer(text):
        before = text[max(0, match.start() - _LOOK_BACK) : match.start()].rpartition("\n")[2]
        if _is_phone(match[0], before):
            found.append((match.start(), match.end(), _canonical(match[0])))
    return found


def _is_phone(number: str, before: str) -> bool:
    count = sum(character.isdigit() for character in number)
    if _DATE.search(number) or _IP.fullmatch(number):
        return False
    if "+" in number or _CALL.search(before):
        return True
    if _REFERENCE.search(before):
        return False
    if number.startswith("00"):
        return count >= 11 and number[2] in "123456789" and not number.isdigit()
    if _NATIONAL.fullmatch(number):
        return 9 <= count <= 12 and (not number.isdigit() or count in (10, 11))
    return bool(_NORTH_AMERICA.fullmatch(number))


def _canonical(number: str) -> str:
    digits = re.sub(r"\D", "", number)
    return digits.removeprefix("00")
