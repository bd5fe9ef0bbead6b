"""How high the right text stands in a ranking, by scores of queries and documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets.records import RetrievalExample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Table = NDArray[np.float64]  # one row a query, one column a document


@dataclass(frozen=True)
class Corpus:
    """The texts that are searched: each of the test split's positives and negatives once."""

    documents: list[str]
    queries: list[str]  # one a row, in their order
    right: list[int]  # of each row: the place of its positive among the documents
    excluded: list[list[int]]  # of each row: right for the same query in another row, or the query

    def ranks(self, table: "Table") -> list[float]:
        """Return the rank of each row's positive, 1 the best; ties stand half above it."""
        found = []
        for scores, right, excluded in zip(table, self.right, self.excluded, strict=True):
            rivals = scores.copy()
            rivals[[right, *excluded]] = float("-inf")
            own = scores[right]
            found.append(1.0 + float((rivals > own).sum()) + float((rivals == own).sum()) / 2)
        return found

    def first(self, table: "Table") -> list[str]:
        """Return the document that stands first for each row."""
        tops = []
        for scores, excluded in zip(table, self.excluded, strict=True):
            kept = scores.copy()
            kept[excluded] = float("-inf")
            tops.append(self.documents[int(kept.argmax())])
        return tops


def corpus_of(rows: Sequence[RetrievalExample]) -> Corpus:
    """Return what the rows' anchors are looked up in."""
    texts = sorted({t for row in rows for t in (row.positive, row.negative) if t})
    places = {text: place for place, text in enumerate(texts)}
    positives: dict[str, set[str]] = {}
    for row in rows:
        positives.setdefault(row.text, set()).add(row.positive)
    excluded = [
        sorted(places[t] for t in {*positives[row.text], row.text} - {row.positive} if t in places)
        for row in rows
    ]
    return Corpus(texts, [r.text for r in rows], [places[r.positive] for r in rows], excluded)


def reranked(first: "Table", candidates: "list[list[int]]", scores: Sequence[float]) -> "Table":
    """Return a table whose candidates are ordered by `scores`, in front of the rest by `first`.

    `candidates` are the documents of each query that have a score, in the order of the scores.
    """
    import numpy as np
    from scipy.stats import rankdata

    table, start = np.stack([rankdata(row) for row in first]), 0
    for row, chosen in zip(table, candidates, strict=True):
        row[chosen] = len(row) + rankdata(scores[start : start + len(chosen)])
        start += len(chosen)
    return table
