"""Near-duplicate texts, by the Jaccard index of their word pairs.

It is the share of the pairs of neighbouring words that both texts hold: 1.0 for the same words in
the same order, about 0.8 where one word in twenty was changed (Broder 1997).
"""

from collections.abc import Callable, Iterable, Sequence

from assets.similarity.matching import Id, Match, Measure, like_one_before, like_one_kept
from assets.similarity.words import word_pairs


def near_duplicates(texts: Iterable[tuple[Id, str]], threshold: float) -> dict[Id, Match[Id]]:
    """Return the texts that are nearly the same as one that is kept, and which one.

    The smallest id is kept (ids are unique, and anything that sorts: `(0, "5f0c…")`), and a text is
    compared with those kept before it: the same result in any order of the input. In a chain of
    likenesses the two ends are kept where they differ.
    """
    return like_one_kept(texts, _measure(threshold))


def shared_texts(
    groups: Sequence[Sequence[tuple[Id, str]]], threshold: float
) -> dict[Id, Match[Id]]:
    """Return the texts nearly the same as one of an earlier group, and which one."""
    return like_one_before(groups, _measure(threshold))


def jaccard(one: str, other: str) -> float:
    """Return the share of word pairs that both texts hold, 0..1."""
    return _likeness(one)(other)


def _likeness(one: str) -> Callable[[str], float]:
    a = word_pairs(one)

    def to(other: str) -> float:
        b = word_pairs(other)
        common = len(a & b)
        return common / (len(a) + len(b) - common)

    return to


def _measure(threshold: float) -> Measure:
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold is {threshold:g}: it must lie above 0 and up to 1")
    return Measure(_likeness, threshold, "pairs", dice=2 * threshold / (1 + threshold))
