"""The words of a text, as every comparison of texts reads them."""

import re
from functools import lru_cache
from itertools import pairwise

# A character of a script without spaces is a word of its own.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")


def words(text: str) -> list[str]:
    """Return the words of a text, without case, marks and spaces; a link gives its parts."""
    return _WORD.findall(text.casefold())


def some_words(text: str) -> list[str]:
    """Return the words, one at least: a text without any counts as one word of its own."""
    return words(text) or [text.strip()]


@lru_cache(maxsize=4096)
def word_pairs(text: str) -> frozenset[str]:
    """Return the pairs of neighbouring words; of one word that word."""
    found = some_words(text)
    return frozenset(map(" ".join, pairwise(found))) or frozenset(found)
