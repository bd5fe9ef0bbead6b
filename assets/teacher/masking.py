"""Personal data becomes marks that say what stood there, and a mask is checked word by word.

    "Maria Lindholm: I live at 12 Harbour Street, ring +44 20 7946 0958."
    "[NAME]: I live at [ADDRESS], ring [PHONE]."

Masked are addresses of mail, telephone, card and account numbers, secrets in links, and whoever the
source names, by the shared rules; dates of birth, postal addresses and numbers of papers by the
words around them. A mask is right where it changed nothing but what it marks, and no rule finds
more to mark.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable

from assets.personal_data.detect import findings
from assets.personal_data.name_forms import may_be_a_word
from assets.personal_data.name_words import NEVER_NAMES
from assets.personal_data.names import find_names
from assets.personal_data.redact import redact
from assets.teacher.mask_alignment import MARK, changed

PSEUDONYM = re.compile(
    r"person-[0-9a-f]{6}(?:@|%40)[\w.-]*\w|<(?P<kind>[a-z]+)-[0-9a-f]{6}>"
    r"|\b(?P<bare>secret|name)-[0-9a-f]{6}\b"
)
_NUMBERS = ("email", "phone", "card", "iban", "secret")

_MONTH = (
    r"(?:jan|feb|mar|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez|mär)\w*\.?"  # and German ones
)
_DATE = (
    rf"(?:\d{{1,2}}(?:st|nd|rd|th|\.)?\s(?:of\s)?{_MONTH},?\s\d{{2,4}}|{_MONTH}\s\d{{1,2}}"
    r"(?:st|nd|rd|th)?,?\s\d{4}|\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{2,4})"
)
_STREET = (  # in lower case only what is hardly another word
    r"(?:[Ss]treet|[Rr]oad|[Aa]venue|[Ll]ane|[Bb]oulevard|St|Rd|Ave|Ln|Dr|Drive|Ct|Court|Sq|Square"
    r"|Way|Terrace|Close|Place|Blvd|Quay|Crescent|Gardens|Row)\b\.?"
)
_STRASSE = r"(?: ?[Ss]tra(?:ß|ss)e|[Ss]tr\.|weg|platz|allee|gasse)"
_POSTCODE = r"(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]{2} \d{5}|\d{4,5}(?: [A-ZÄÖÜ][\w-]+)?)\b"
_TOWN = (  # ", Flat 3, Bremen 28195" and ", London SE1 7PB"
    r"(?:,? (?:Flat|Apt\.?|Apartment|Unit|Suite) \w+)?"
    rf"(?:,? {_POSTCODE}|, [A-Z][a-z'-]+(?: [A-Z][a-z'-]+)?(?:,? {_POSTCODE})?)?"
)
_ADDRESSES = (
    rf"(?<![\w.])(\d{{1,5}}[a-zA-Z]? (?:[A-Z][\w'.-]+ ){{1,3}}{_STREET}{_TOWN})",
    rf"(?<![\w.])(\d{{1,5}}[a-zA-Z]?,? (?:[A-Z][\w'-]+ ?|(?:rue|via|calle|d[aeiou]s?|l[ae]) )"
    rf"{{1,5}}, ?{_POSTCODE})",
    rf"(?<!\w)([A-ZÄÖÜ][\wäöüß.-]*{_STRASSE} \d{{1,4}}[a-z]?\b"
    rf"(?! ?(?:[Mm]in|km|[Mm]eter|Euro|Uhr|%|€)){_TOWN})",
    r"(?<!\w)([A-ZÄÖÜ]\w+(?: [A-ZÄÖÜ]\w+)? \d{1,4}[a-z]?, \d{4,5} [A-ZÄÖÜ][\w-]+)",
)
_BORN = (
    r"\b(?:born|date of birth|d\.?o\.?b\.?|birthday|birth date|geboren|geb\.|geburtsdatum)(?!\w)"
)
_BORN_ON = rf"{_BORN}\W{{0,3}}(?:(?:is|was|on|in|am|ist)\W{{1,2}}){{0,2}}({_DATE})"
_ASKED = rf"{_BORN}[^\n\d]{{0,60}}\n+[^\n\d]{{0,80}}?({_DATE})"  # the next turn answers
_PAPERS = (
    r"(?:passport|social security|ssn|national insurance|tax|id card|identity card"
    r"|driving licen[cs]e|driver's licen[cs]e|personalausweis|kundennummer|steuer-?id)"
    r"(?: (?:number|no\.?|nr\.?|id))?"
    r"|(?:insurance|policy|member(?:ship)?|customer|patient|account)(?: card)? "
    r"(?:number|no\.?|id|nr\.?)"
)
# What the words around it tell: the group is the value.
_BY_CONTEXT = (
    *(("DATE_OF_BIRTH", re.compile(pattern, re.IGNORECASE)) for pattern in (_BORN_ON, _ASKED)),
    *(("ADDRESS", re.compile(pattern)) for pattern in _ADDRESSES),
    (
        "ID",
        re.compile(
            rf"\b(?i:{_PAPERS})\W{{0,3}}(?i:(?:is|ist)\W{{1,2}})?"
            r"((?=[A-Z0-9 -]{0,6}\d)[A-Z0-9](?:[A-Z0-9]|[- ](?=\d)){3,19})(?!\w)"
        ),
    ),
    (
        "ID",
        re.compile(
            r"\b(?i:policy|insurance|membership|customer|patient|account)\W{1,2}(?i:is\W{1,2})?"
            r"([A-Z]{1,4}(?:-\d{2,10}){1,4})(?!\w)"
        ),
    ),
)
_AFTER_A_NAME = re.compile(rf"(?<=\[NAME\], ){_DATE}(?<=\d{{4}})", re.IGNORECASE)
_ROLES = NEVER_NAMES | {
    *("adviser", "advisor", "assistant", "buyer", "caller", "clerk", "client", "clinic", "doctor"),
    *("driver", "host", "landlord", "me", "nurse", "operator", "patient", "pharmacist", "teacher"),
    *("receptionist", "rep", "representative", "seller", "student", "system", "tenant", "kunde"),
    *("kundin", "berater", "beraterin", "mitarbeiter", "mitarbeiterin"),
}
_WITHIN_A_NAME = re.compile(r" (?:\w\. )?|[-.'\u2019_]")
_LONGEST_NAME = 6  # words; more is a sentence


def mask(text: str, people: Collection[str]) -> str:
    """Return the text with a mark for each piece of personal data that a rule finds."""
    masked, _ = redact(text, _NUMBERS, "")
    masked = PSEUDONYM.sub(_mark, masked)
    for kind, pattern in _BY_CONTEXT:
        masked = pattern.sub(lambda m, kind=kind: m[0].replace(m[1], f"[{kind}]"), masked)
    for start, end in reversed(_named(masked, people)):
        masked = f"{masked[:start]}[NAME]{masked[end:]}"
    return _AFTER_A_NAME.sub("[DATE_OF_BIRTH]", masked)


def problem(text: str, masked: str, people: Collection[str], values: Iterable[str] = ()) -> str:
    """Return what is wrong with a mask, never the value itself; empty where it is right.

    Args:
        text: what was masked.
        masked: the same with marks.
        people: full names of all who stand in it.
        values: more that must be masked, verbatim.
    """
    if number := _line_of_speaker(masked, people):
        return f"a name stands as the speaker of line {number}"
    if kinds := findings(masked, people=people):
        return f"there is still personal data: {', '.join(kinds)}"
    if _named(masked, people):
        return "there is still a part of a name"
    if any(re.search(rf"(?<!\w){re.escape(v)}(?!\w)", masked) for v in values if v.strip()):
        return "there is still a piece of the personal data that was listed"
    if left := _marks(mask(masked, people)) - _marks(masked):
        return f"there is still personal data: {', '.join(sorted(left))}"
    return changed(text, masked)


def speakers_named(speakers: Iterable[str]) -> list[str]:
    """Return the speakers who are persons: "Maria Lindholm", and not "Agent" or "owner"."""
    named = {s for s in map(str.strip, speakers) if 1 <= len(s.split()) <= _LONGEST_NAME}
    return sorted(speaker for speaker in named if not _is_role(speaker))


def _is_role(speaker: str) -> bool:
    words = re.findall(r"[^\W\d_]+", speaker.casefold())
    return PSEUDONYM.search(speaker) is not None or all(word in _ROLES for word in words)


def _mark(match: re.Match[str]) -> str:
    kind = match["kind"] or match["bare"] or "email"
    return f"[{kind.upper()}]"


def _marks(masked: str) -> Counter[str]:
    return Counter(mark[0][1:-1].lower() for mark in MARK.finditer(masked))


def _line_of_speaker(masked: str, people: Collection[str]) -> int:
    for number, line in enumerate(masked.splitlines(), start=1):
        speaker, colon, _ = line.partition(":")
        if colon and len(speaker) < 80 and _named(speaker, people):
            return number
    return 0


def _named(text: str, people: Collection[str]) -> list[tuple[int, int]]:
    """Return where the text names somebody; in lower case too, where no word is meant."""
    found = [(start, end) for start, end, _ in find_names(text, people)]
    marks = [m.span() for m in MARK.finditer(text)]
    for part in sorted({p for name in people for p in re.findall(r"[^\W\d_]+", name)}):
        if len(part) > 2 and not may_be_a_word(part.title()) and part.casefold() not in _ROLES:
            pattern = rf"(?<!\w){re.escape(part)}(?=s?(?!\w))"
            found += [m.span() for m in re.finditer(pattern, text, re.IGNORECASE)]
    outside = [(s, e) for s, e in found if not any(a < e and s < b for a, b in marks)]
    return _joined(sorted(outside), text)


def _joined(spans: list[tuple[int, int]], text: str) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and (
            start <= joined[-1][1] or _WITHIN_A_NAME.fullmatch(text, joined[-1][1], start)
        ):
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
