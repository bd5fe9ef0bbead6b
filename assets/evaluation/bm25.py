"""BM25 (Robertson and Zaragoza 2009): how well a text answers a query by their common words."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WORD = re.compile(r"\w+")
_K1, _B = 1.2, 0.75  # the values of Lucene


def bm25(queries: Sequence[str], documents: Sequence[str]) -> "NDArray[np.float64]":
    """Return a score for each query and document, shape (queries, documents)."""
    import numpy as np

    counted = [Counter(_words(document)) for document in documents]
    lengths = [counts.total() for counts in counted]
    mean = max(1.0, sum(lengths) / len(lengths))
    holders: dict[str, list[int]] = {}
    for number, counts in enumerate(counted):
        for word in counts:
            holders.setdefault(word, []).append(number)
    table = np.zeros((len(queries), len(documents)))
    for row, query in zip(table, queries, strict=True):
        for word in _words(query):
            found = holders.get(word, [])
            rarity = math.log(1 + (len(documents) - len(found) + 0.5) / (len(found) + 0.5))
            for number in found:
                count = counted[number][word]
                size = _K1 * (1 - _B + _B * lengths[number] / mean)
                row[number] += rarity * count * (_K1 + 1) / (count + size)
    return table


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
