"""Novelty by ROUGE-L, as Self-Instruct filters what a teacher makes up (Wang 2023).

ROUGE-L is the F-measure of the longest common subsequence of words (Lin 2004), with both texts'
words counted alike: 2 * length / (m + n).
"""

from collections.abc import Callable, Iterable

from assets.similarity.matching import Id, Match, Measure, like_one_kept
from assets.similarity.words import some_words


def not_novel(
    texts: Iterable[tuple[Id, str]],
    max_rouge_l: float = 0.7,
    seeds: Iterable[tuple[Id, str]] = (),
) -> dict[Id, Match[Id]]:
    """Return the texts whose ROUGE-L with one that is kept reaches the limit, and with which one.

    Seeds are all kept, whatever they are to each other. Of the texts the smallest id is kept (ids
    are unique, of seeds too, and anything that sorts), and each is compared with those kept before
    it: the same result in any order of the input.
    """
    if not 0 < max_rouge_l <= 1:
        raise ValueError(f"max_rouge_l is {max_rouge_l:g}: it must lie above 0 and up to 1")
    # The words of a common subsequence are shared words.
    measure = Measure(_likeness, max_rouge_l, "words", dice=max_rouge_l)
    return like_one_kept(texts, measure, held=seeds)


def rouge_l(one: str, other: str) -> float:
    """Return the ROUGE-L F-measure of two texts, 0..1."""
    return _likeness(one)(other)


def _likeness(one: str) -> Callable[[str], float]:
    a = some_words(one)
    positions: dict[str, int] = {}  # of each word, one bit a position
    for position, word in enumerate(a):
        positions[word] = positions.get(word, 0) | 1 << position

    def to(other: str) -> float:
        b = some_words(other)
        return 2 * _common_subsequence(positions, len(a), b) / (len(a) + len(b))

    return to


def _common_subsequence(positions: dict[str, int], length: int, other: list[str]) -> int:
    """Return the length of the longest one, all positions at once in one integer (Hyyrö 2004)."""
    full = (1 << length) - 1
    free = full
    for word in other:
        if at := positions.get(word):
            taken = free & at
            free = ((free + taken) | (free - taken)) & full
    return length - free.bit_count()
