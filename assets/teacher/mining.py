"""The nearest rows of a set of vectors: partners and hard negatives among a million texts.

    nearest(Rows(queries, groups), Rows(documents, groups), count=1, ceilings=[0.51, …])
    -> [[Neighbour(row=17, similarity=0.48)], …]

Every pair is compared where that is affordable. Beyond that the vectors are put into cells (IVF,
k-means from a fixed seed), a query looks into the nearest cells only, and what it finds there is
scored again from the full vectors. It may miss the very nearest and find the next. Memory: the
vectors, a quarter more for the cells, and a block.
The same rows in the same order give the same result: sort by id what came in any order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log2
from typing import TYPE_CHECKING, Any, NamedTuple

from assets.embedding import DECIMALS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from assets.embedding import Vectors

    Similarities = NDArray[np.float32]
    Numbers = NDArray[np.int64]

EXACT_UP_TO = 4_000_000_000  # pairs: about a minute on two cores
_BLOCK = 16_000_000  # similarities held at once: 64 MB
_WIDTHS = (32, 512)  # candidates asked of the cells: more where few of them are allowed
_CELLS_VISITED = 32
_POINTS_PER_CELL, _ROUNDS = 40, 6  # of k-means: finer cells find hardly more, and take longer


class Neighbour(NamedTuple):
    """A row of the corpus, and how like the query it is."""

    row: int
    similarity: float  # cosine, rounded


@dataclass(frozen=True)
class Rows:
    """Unit vectors, and the key of each: rows of one key are never each other's neighbours."""

    vectors: "Vectors"
    keys: Sequence[str]


def nearest(
    queries: Rows, corpus: Rows, count: int = 1, ceilings: Sequence[float] | None = None
) -> list[list[Neighbour]]:
    """Return up to `count` neighbours of each query, nearest first; ties go to the first row.

    Neighbours have another key than the query, and are at most as like it as its ceiling.
    """
    search = _Search(queries, corpus, count, ceilings)
    if len(queries.keys) * len(corpus.keys) <= EXACT_UP_TO:
        search.compare_all()
    else:
        search.visit_cells()
    return search.found


class _Search:
    """One search: the neighbours found so far, and the queries that have too few."""

    def __init__(
        self, queries: Rows, corpus: Rows, count: int, ceilings: Sequence[float] | None
    ) -> None:
        import numpy as np

        number = {key: n for n, key in enumerate(dict.fromkeys([*corpus.keys, *queries.keys]))}
        self.queries, self.corpus = queries.vectors, corpus.vectors
        self.query_keys = np.array([number[key] for key in queries.keys], np.int64)
        self.corpus_keys = np.array([number[key] for key in corpus.keys], np.int64)
        highest = [2.0] * len(queries.keys) if ceilings is None else ceilings
        self.ceilings = np.array(highest, np.float32)
        self.count = count
        self.found: list[list[Neighbour]] = [[] for _ in queries.keys]
        self.open = np.arange(len(queries.keys))

    def compare_all(self) -> None:
        """Compare each open query with the whole corpus."""
        for rows in self._blocks(len(self.corpus)):
            likeness = self.queries[rows] @ self.corpus.T
            self._take(rows, likeness, self.corpus_keys[None, :])

    def visit_cells(self) -> None:
        """Compare with the nearest cells, then with more, and the few queries left with all."""
        import numpy as np

        cells = _cells(self.corpus)
        for width in _WIDTHS:
            for rows in self._blocks(width * self.corpus.shape[1]):
                candidates = np.sort(cells.search(self.queries[rows], width)[1], axis=1)
                vectors = self.corpus[candidates]  # -1 stands for none and reads the last row
                likeness = np.einsum("qd,qcd->qc", self.queries[rows], vectors)
                likeness[candidates < 0] = -np.inf
                self._take(rows, likeness, self.corpus_keys[candidates], candidates)
            self.open = np.array([n for n in self.open if len(self.found[n]) < self.count], int)
        self.compare_all()

    def _blocks(self, width: int) -> "Iterator[Numbers]":
        size = max(1, _BLOCK // max(1, width))
        for first in range(0, len(self.open), size):
            yield self.open[first : first + size]

    def _take(
        self,
        rows: "Numbers",
        likeness: "Similarities",
        keys: "Numbers",
        candidates: "Numbers | None" = None,
    ) -> None:
        """Keep the best allowed; `candidates` are their rows where not all are compared."""
        import numpy as np

        np.round(likeness, DECIMALS, out=likeness)
        likeness[keys == self.query_keys[rows][:, None]] = -np.inf
        likeness[likeness > self.ceilings[rows][:, None]] = -np.inf
        for row in rows:
            self.found[row] = []
        every = np.arange(len(rows))
        for _ in range(min(self.count, likeness.shape[1])):
            best = likeness.argmax(axis=1)
            values = likeness[every, best]
            likeness[every, best] = -np.inf
            places = best if candidates is None else candidates[every, best]
            for query, place, value in zip(rows, places, values, strict=True):
                if value > -np.inf:
                    neighbour = Neighbour(int(place), round(float(value), DECIMALS))
                    self.found[query].append(neighbour)


def _cells(corpus: "Vectors") -> Any:  # faiss ships no types
    import faiss

    dimensions = corpus.shape[1]
    count = 2 ** round(log2(4 * len(corpus) ** 0.5))
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimensions),
        dimensions,
        count,
        faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
    )
    index.cp.niter, index.cp.max_points_per_centroid = _ROUNDS, _POINTS_PER_CELL
    index.train(corpus)
    index.add(corpus)
    index.nprobe = _CELLS_VISITED
    return index
