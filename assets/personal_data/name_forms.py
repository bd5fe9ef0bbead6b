"""What a person may be called in a text.

    "Lindholm, Anna-Lena (Annie), PhD"
    ->  Anna-Lena Lindholm, Lindholm Anna-Lena, Anna-Lena, Anna, Lena, Lindholm, Annie

Parts of a name have three letters or more and begin with a capital. Of a name in a script without
spaces the last two of three characters are a part: 李小明 is called 小明.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from assets.personal_data.name_words import NEVER_NAMES, ONLY_ADDRESSED, WORDS

PSEUDONYM = re.compile(r"<[a-z]+-[0-9a-f]{6}>")
# Letters and digits, with accents and the vowel signs of Hebrew, Arabic and India's scripts.
RUN = re.compile(
    r"(?:[^\W_]|[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0dff])+(?<![\u0964\u0965])"
)
Runs = tuple[str, ...]  # a name's letters, folded, without what stands between: ("O", "Brien")
MIN_LETTERS = 3

_WORDS = WORDS | ONLY_ADDRESSED
_UNSPACED = re.compile("[\u0e00-\u0eff\u3005\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
_ASIDE = re.compile(r"[(\[{\"“]([^)\]}\"”]*)[)\]}\"”]")
_BEHIND = re.compile(r"\s(?:[|/·•\u2013—-]|via)\s.*", re.DOTALL)  # "Anna | Harbourline"
_ACCENTS = re.compile("[\u0300-\u036f]")
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D"})
_DIGRAPHS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


@dataclass(frozen=True)
class Forms:
    """The forms of all people of a text, and whose each is."""

    runs: dict[Runs, str]
    first: frozenset[str]  # what a form begins with
    longest: int  # runs of the longest form
    unspaced: dict[str, str]


@dataclass(frozen=True)
class _Person:
    who: str  # first and last name, folded: the same for "Anna Lindholm" and "Lindholm, Anna K."
    words: tuple[str, ...]
    aside: tuple[str, ...]  # in brackets or quotes: a nickname


@lru_cache(maxsize=4096)
def forms_of(people: frozenset[str]) -> Forms:
    """Return what the people may be called; what names a mailbox or nobody is left out."""
    runs: dict[Runs, set[str]] = {}
    unspaced: dict[str, set[str]] = {}
    for person in _without_aliases([p for p in map(_person, people) if p]):
        for form in _called(person):
            runs.setdefault(form, set()).add(person.who)
        for form in _called_without_spaces(person):
            unspaced.setdefault(form, set()).add(person.who)
    return Forms(
        {form: _whose(who, " ".join(form)) for form, who in runs.items()},
        frozenset(form[0] for form in runs),
        max(map(len, runs), default=0),
        {form: _whose(who, form) for form, who in unspaced.items()},
    )


def folded(text: str) -> str:
    """Return the text without accents; case stays."""
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFD", text.translate(_LETTERS))
    return unicodedata.normalize("NFC", _ACCENTS.sub("", plain))


def may_be_a_word(run: str) -> bool:
    """Return whether a name alone may as well be an ordinary word: "Will", "May", "Bo"."""
    return len(run) < MIN_LETTERS or run.casefold() in _WORDS


def _person(name: str) -> _Person | None:
    if "@" in name or "://" in name or PSEUDONYM.search(name):
        return None
    name = unicodedata.normalize("NFC", name)
    aside = tuple(word for inside in _ASIDE.findall(name) for word in _words(inside))
    plain = _BEHIND.sub("", _ASIDE.sub(" ", name).strip())
    sections = [words for section in plain.split(",") if (words := _words(section))]
    if not sections:
        return None
    words = sections[0]
    if len(words) == 1 and len(sections) > 1:  # "Lindholm, Anna"
        words = (*sections[1], *words)
    ends = {folded(word).casefold() for word in (words[0], words[-1])}
    return _Person(" ".join(sorted(ends)), words, aside)


def _words(text: str) -> tuple[str, ...]:
    words = (word.strip(".·'\u2019\u2018*_~") for word in text.split())
    return tuple(
        word
        for word in words
        if any(map(str.isalpha, word)) and word.replace(".", "").casefold() not in NEVER_NAMES
    )


def _without_aliases(people: list[_Person]) -> Iterator[_Person]:
    """Where one "Anna Lindholm" is there, "Anna" is she."""
    whose: dict[str, set[str]] = {}
    for person in people:
        for word in person.words if len(person.words) > 1 else ():
            whose.setdefault(word, set()).add(person.who)
    for person in people:
        longer = whose.get(person.words[0], set()) if len(person.words) == 1 else set()
        yield replace(person, who=min(longer)) if len(longer) == 1 else person


def _whose(who: Iterable[str], form: str) -> str:
    """A first name that two people share is neither of them."""
    first, *others = sorted(who)
    return form.casefold() if others else first


def _called(person: _Person) -> Iterator[Runs]:
    for words in _spellings(person.words):
        units = [_runs(word) for word in words if not _UNSPACED.fullmatch(word)]
        if len(units) > 1:
            yield sum(units, ())
            yield sum([units[-1], *units[:-1]], ())
            yield units[0] + units[-1]
        elif units and (_has_capital(units[0]) or not may_be_a_word(units[0][0])):
            yield units[0]
    for words in _spellings((*person.words, *person.aside), upper=False):
        for unit in map(_runs, words):
            yield from [unit] if len(unit) > 1 and _has_capital(unit) else []
            yield from [(r,) for r in unit if len(r) >= MIN_LETTERS and _has_capital((r,))]


def _spellings(words: tuple[str, ...], upper: bool = True) -> Iterator[tuple[str, ...]]:
    """Yield the name as it is written, as it should be, with digraphs, and in capitals."""
    yield words
    joined = " ".join(words)
    if joined.isupper() or joined.islower():
        yield (words := tuple(word.title() for word in words))
    yield tuple(word.translate(_DIGRAPHS) for word in words)
    if upper and len(words) > 1:
        yield tuple(word.upper() for word in words)


def _runs(word: str) -> Runs:
    return tuple(folded(run) for run in RUN.findall(word))


def _has_capital(runs: Runs) -> bool:
    """Return whether a run begins with a capital, or with a letter of a script without them."""
    return any(run[0].isalpha() and run[0] == run[0].upper() for run in runs)


def _called_without_spaces(person: _Person) -> Iterator[str]:
    words = [word for word in person.words if _UNSPACED.fullmatch(word)]
    whole = "".join(words)
    yield from [form for form in (whole, *words) if len(form) > 1]
    if len(words) == 1 and len(whole) == MIN_LETTERS and "\u3400" <= whole[0] <= "\ud7af":
        yield whole[1:]
