"""Key phrases of one short text, best first, from that text alone: no corpus, no model, no chance.

    "Our backfills were slow. Partition pruning made the slow backfills fast." ->
    [Phrase("slow backfills", …), Phrase("partition pruning made", …), …]

Runs of words between stop words and punctuation are scored by how often their words occur, and
how long the runs are in which they do, after RAKE (Rose et al. 2010). A text's phrases depend on
nothing else, so a new document changes no other's.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MAX_WORDS = 3  # a longer run is cut into its windows: a key phrase, not a quoted clause

_STOP_WORDS = Path(__file__).with_name("stop_words.json")  # of four languages, as one set
_UPPER_KEEPS = frozenset({"IT", "ES", "US"})  # a stop word in lower case, a subject in capitals

_NOT_WORDS = re.compile(
    r"""https?://\S+ | www\.\S+            # links
    | \b[\w-]+(?:\.[\w-]+)+/\S*            # links without a scheme: lnkd.in/abc
    | \S+@\S+                              # addresses
    | <[^<>\n]{1,80}> | \[[^\[\]\n]{1,80}\]  # pseudonyms, markers
    | [#@]\w+                              # hashtags, mentions
    """,
    re.VERBOSE,
)
_BOUNDARY = re.compile(r"[^\w\s'&+./-]+|[.](?=\s|$)|\n|\s[-/&+]\s|\s'|'\s")
_WORD = re.compile(r"\w+(?:[-'&+./]\w+)*\+*")
_CONTRACTION = re.compile(r".*(?:n't|'(?:re|ve|ll|m|d|s))$")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A run of words as the text spells them, and where it first stands."""

    text: str
    words: tuple[str, ...]  # casefolded
    position: int
    score: float


def key_phrases(text: str) -> list[Phrase]:
    """Return the phrases of a text, best first; ties go to the one that comes first."""
    plain = unicodedata.normalize("NFKC", text).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    runs = list(_runs(plain))
    frequency = Counter(word.casefold() for _, run in runs for word in run)
    neighbours = Counter[str]()
    for _, run in runs:
        neighbours.update({word.casefold(): min(len(run), MAX_WORDS) for word in run})
    best: dict[tuple[str, ...], Phrase] = {}
    for position, run in runs:
        for offset, window in _windows(run):
            words = tuple(word.casefold() for word in window)
            score = sum(frequency[w] ** 0.5 * (1 + neighbours[w] / frequency[w]) for w in words)
            phrase = Phrase(" ".join(window), words, position + offset, score)
            best.setdefault(words, phrase)
    return sorted(best.values(), key=lambda p: (-p.score, p.position, p.text))


def _windows(run: list[str]) -> Iterator[tuple[int, list[str]]]:
    for size in range(1, MAX_WORDS + 1):
        for start in range(len(run) - size + 1):
            yield start, run[start : start + size]


def _runs(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each run of words that carry a subject, with the index of its first word."""
    position = 0
    for clause in _BOUNDARY.split(_NOT_WORDS.sub("\n", text)):
        run: list[str] = []
        for word in _WORD.findall(clause):
            if _is_stop_word(word):
                if run:
                    yield position - len(run), run
                run = []
            else:
                run.append(word)
            position += 1
        if run:
            yield position - len(run), run


def _is_stop_word(word: str) -> bool:
    if word in _UPPER_KEEPS:
        return False
    folded = word.casefold()
    if not any(c.isalpha() for c in word) or "_" in word:
        return True
    return folded in _stop_words() or len(word) == 1 or bool(_CONTRACTION.match(folded))


@cache
def _stop_words() -> frozenset[str]:
    languages = json.loads(_STOP_WORDS.read_text(encoding="utf-8"))
    return frozenset(
        word for lines in languages.values() for line in lines for word in line.split()
    )
