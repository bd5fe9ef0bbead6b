"""The simple model that a token classifier has to beat: the label that a word mostly has."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from assets.loading.entities import OUTSIDE, Span, spans_of

_WORD = re.compile(r"\w+|[^\w\s]")
Labelled = tuple[str, list[Span]]  # a text and what stands in it


def most_frequent_labels(learnt: Iterable[Labelled], unseen: Sequence[str]) -> list[list[Span]]:
    """Return the spans of each unseen text.

    A word gets the label that it mostly has in the learnt texts, one never seen there the label of
    its shape: +44 and 0958 are both digits, Maria and Anna capitalised words.
    """
    words: defaultdict[str, Counter[str]] = defaultdict(Counter)
    shapes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for text, found in learnt:
        for match in _WORD.finditer(text):
            tag = _tag(match.start(), found)
            words[match[0].lower()][tag] += 1
            shapes[_shape(match[0])][tag] += 1

    def tag_of(word: str) -> str:
        seen = words.get(word.lower()) or shapes.get(_shape(word)) or Counter([OUTSIDE])
        return max(sorted(seen), key=lambda tag: seen[tag])

    return [_predicted(text, tag_of) for text in unseen]


def _predicted(text: str, tag_of: Callable[[str], str]) -> list[Span]:
    matches = list(_WORD.finditer(text))
    tags = [tag_of(match[0]) for match in matches]
    return spans_of(text, [match.span() for match in matches], tags)


def _tag(position: int, found: Sequence[Span]) -> str:
    for span in found:
        if span["start"] <= position < span["end"]:
            return f"{'B' if position == span['start'] else 'I'}-{span['label']}"
    return OUTSIDE


def _shape(word: str) -> str:
    letters = re.sub(r"[^\W\d_]", lambda m: "X" if m[0].isupper() else "x", word)
    return re.sub(r"(.)\1+", r"\1", re.sub(r"\d", "0", letters))
