"""Where a text names the people whom its source names.

    people  "Anna Lindholm", "Mark Owusu"
    text    "Hi Mark, thanks! Anna's slides are great. Mark the date."
    ->          Mark          Anna

Found are whole names, and first and last names alone, with and without their accents. A name that
may be a word ("Mark", "Will", "Rose") counts where it is addressed ("Hi Mark", "Mark, …", alone on
its line), owns something ("Mark's"), or stands inside a sentence, where only a name has a capital;
a month ("May") only where it is addressed.
"""

import re
from collections.abc import Collection, Iterator
from itertools import pairwise

from assets.personal_data.name_forms import (
    PSEUDONYM,
    RUN,
    Forms,
    folded,
    forms_of,
    may_be_a_word,
)
from assets.personal_data.name_words import ONLY_ADDRESSED

Hit = tuple[int, int, str]  # start, end, who it is: "anna lindholm"

_WORD = re.compile(rf"{PSEUDONYM.pattern}|{RUN.pattern}")
# Between the words of one name: a line may end there, a sentence or a paragraph may not.
_GAP = re.compile(r"[-'\u2019\u2010._]|\.?[ \t]{1,2}|[ \t]?\n[ \t]?")
_GREETED = re.compile(
    r"(?:\b(?:hi|hello|hey|dear|thanks|thank you|thx|cheers|sorry|mr|mrs|ms|dr|hallo|liebe|lieber"
    r"|danke|bonjour|merci|hola|gracias|ciao|grazie)[ ,.!]{1,3}|@)$",
    re.IGNORECASE,
)
_NEW_LINE = re.compile(r"(?:\A|\n)[ \t]*$")
_CLOSES = re.compile(r"[,:\n]|[.!]?(?:\n|\Z)")  # behind a name that opens a line
_BEGINS = re.compile(r"(?:\A|[\n.!?:…•*>-])[\s\"'“\u2018«(]*$")  # before a sentence's first word
_LOOK_BACK = 40  # characters


def find_names(text: str, people: Collection[str]) -> list[Hit]:
    """Return each place that names one of `people`, in the order of the text."""
    forms = forms_of(frozenset(people))
    found = [*_spaced(text, forms)] if forms.runs else []
    if forms.unspaced:
        taken = [range(start, end) for start, end, _ in found]
        found += [h for h in _unspaced(text, forms) if not any(h[0] in t for t in taken)]
    return sorted(found)


Word = tuple[int, int, str]  # start, end, folded


def _spaced(text: str, forms: Forms) -> Iterator[Hit]:
    words = [(m.start(), m.end(), folded(m[0])) for m in _WORD.finditer(text)]
    i = 0
    while i < len(words):
        count = _longest(text, words, i, forms)
        if count:
            runs = tuple(run for _, _, run in words[i : i + count])
            yield words[i][0], words[i + count - 1][1], forms.runs[runs]
        elif who := _genitive(text, words[i], forms):
            yield words[i][0], words[i][1] - 1, who
        i += count or 1


def _longest(text: str, words: list[Word], i: int, forms: Forms) -> int:
    """Return how many words from `i` on are a name."""
    if words[i][2] not in forms.first:
        return 0
    for count in range(min(forms.longest, len(words) - i), 0, -1):
        here = words[i : i + count]
        if tuple(run for _, _, run in here) not in forms.runs:
            continue
        if _touch(text, here) if count > 1 else _is_meant(text, *here[0]):
            return count
    return 0


def _touch(text: str, words: list[Word]) -> bool:
    return all(_GAP.fullmatch(text, a[1], b[0]) for a, b in pairwise(words))


def _genitive(text: str, word: Word, forms: Forms) -> str:
    """German and Swedish: "Annas Auto"."""
    _, end, run = word
    stem = run[:-1]
    if text[end - 1] != "s" or stem not in forms.first or may_be_a_word(stem):
        return ""
    return forms.runs.get((stem,), "")


def _is_meant(text: str, start: int, end: int, run: str) -> bool:
    """Return whether a name that may be a word is a name here."""
    if not may_be_a_word(run):
        return True
    before, after = text[max(0, start - _LOOK_BACK) : start], text[end : end + 2]
    alone = _NEW_LINE.search(before) and _CLOSES.match(after)
    if alone or _GREETED.search(before):
        return True
    if run.casefold() in ONLY_ADDRESSED:
        return False
    return after in ("'s", "\u2019s") or not _BEGINS.search(before)


def _unspaced(text: str, forms: Forms) -> Iterator[Hit]:
    longest_first = sorted(forms.unspaced, key=lambda form: (-len(form), form))
    pattern = "|".join("[ \u3000]?".join(map(re.escape, form)) for form in longest_first)
    for match in re.finditer(pattern, text):
        who = forms.unspaced[re.sub("[ \u3000]", "", match[0])]
        yield match.start(), match.end(), who
