"""How well a model finds the text that belongs to a query, beside BM25 on the same texts.

A row's score: `{"id": "5f0c…", "rank": 2.0, "above_negative": 1.0, "first": "Refunds take …"}`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from pydantic import Field

from assets.charts import lines
from assets.discovery import Options as PluginOptions
from assets.evaluation.arms import Arm, Scores
from assets.evaluation.bm25 import bm25
from assets.evaluation.protocol import Direction, Shown
from assets.evaluation.ranking import Corpus, corpus_of, reranked
from assets.evaluation.test_set import TestSet
from assets.records import RetrievalExample, Row

if TYPE_CHECKING:
    from assets.evaluation.ranking import Table

EXAMPLES = ("retrieval",)
MODELS = ("embedding", "score")
DEFAULT = True
HEADLINE = GATE = "mrr_at_10"
METRICS: dict[str, Direction] = {
    "mrr_at_10": "higher",  # mean of 1 / rank of the right text, 0 below the tenth
    "ndcg_at_10": "higher",  # mean of 1 / log2(1 + rank), 0 below the tenth
    "recall_at_1": "higher",
    "recall_at_5": "higher",
    "recall_at_10": "higher",
    "triplet_accuracy": "higher",  # share of rows whose negative stands below the right text
}
Test = TestSet[RetrievalExample]
_PICTURED = ("base", "baseline", "tuned")
_EXCERPT = 300  # characters of a found text that the report shows


class Options(PluginOptions):
    """Keys that this benchmark adds to `evaluation:`."""

    retrieval_batch_size: int = Field(32, ge=1)  # texts or pairs at once
    rerank_candidates: int = Field(32, ge=1)  # a score model orders the best so many of BM25


def run(arm: Arm, test: Test, options: Options, seed: int) -> Scores:
    """Return how one model ranks the texts of the test split."""
    corpus = corpus_of(test.rows)
    if arm.kind == "embedding":
        return _scores(test, corpus, _similarities(arm, corpus, options))
    return _scores(test, corpus, _order(arm, test, corpus, options))


def references(test: Test, options: Options) -> dict[str, Scores]:
    """Return what BM25 reaches, which learns nothing."""
    corpus = corpus_of(test.rows)
    return {"baseline": _scores(test, corpus, bm25(corpus.queries, corpus.documents))}


def headline(rows: Sequence[Row]) -> float:
    """Return the mean reciprocal rank of the right text, among the first ten."""
    return math.fsum(1 / rank if rank <= 10 else 0.0 for rank in _ranks(rows)) / len(rows)


def describe(options: Options) -> str:
    """Return how it was measured, for the report."""
    return (
        "retrieval: each anchor of the test split looks for its positive among all positives and "
        "negatives of the split; what is right for the same anchor in another row is left out. An "
        "embedding model goes by cosine, a score model orders the best "
        f"{options.rerank_candidates} of BM25. The baseline is BM25 alone."
    )


def pictures(test: Test, scores: Mapping[str, Scores]) -> dict[str, bytes]:
    """Return the share of queries whose right text is among the first so many."""
    series = {
        arm: [(float(k), _recall(scores[arm].rows, k)) for k in range(1, 21)] for arm in _PICTURED
    }
    return {"recall": lines(series, "Right text among the first …", "texts", "share of queries")}


def shown(test: Test, scores: Mapping[str, Scores], count: int) -> list[Shown]:
    """Return the queries that the tuned model answers worst, then some that it answers right."""
    ranks = _ranks(scores["tuned"].rows)
    worst = sorted((i for i in range(len(ranks)) if ranks[i] > 1), key=lambda i: (-ranks[i], i))
    wrong = worst[: max(1, count // 2)]
    right = [i for i in range(len(ranks)) if ranks[i] == 1][: count - len(wrong)]
    return [
        {
            "prompt": test.rows[index].text,
            "reference": test.rows[index].positive,
            **{arm: _answer(scores[arm].rows[index]) for arm in _PICTURED},
        }
        for index in (*wrong, *right)
    ]


def _similarities(arm: Arm, corpus: Corpus, options: Options) -> "Table":
    import numpy as np

    def vectors(texts: list[str]) -> Any:
        made = arm.model.encode(
            texts,
            batch_size=options.retrieval_batch_size,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return np.asarray(made, dtype=np.float64)

    return vectors(corpus.queries) @ vectors(corpus.documents).T


def _order(arm: Arm, test: Test, corpus: Corpus, options: Options) -> "Table":
    """Return BM25's table, its best candidates in the order of the model."""
    from assets.evaluation.inference import scores
    from assets.loading.text_pairs import encode_pair

    first = bm25(corpus.queries, corpus.documents)
    best = (-first).argsort(axis=1, kind="stable")[:, : options.rerank_candidates].tolist()
    pairs = [
        encode_pair(query, corpus.documents[place], arm.tokenizer, arm.model, test.max_length)
        for query, places in zip(corpus.queries, best, strict=True)
        for place in places
    ]
    return reranked(first, best, scores(arm, pairs, options.retrieval_batch_size))


def _scores(test: Test, corpus: Corpus, table: "Table") -> Scores:
    places = {text: place for place, text in enumerate(corpus.documents)}
    rows: list[Row] = []
    found = zip(test.rows, corpus.right, corpus.ranks(table), corpus.first(table), strict=True)
    for scores, (row, right, rank, first) in zip(table, found, strict=True):
        made: Row = {"id": row.id, "rank": rank, "first": first[:_EXCERPT]}
        if row.negative:
            gap = scores[right] - scores[places[row.negative]]
            made["above_negative"] = 0.5 if gap == 0 else float(gap > 0)
        rows.append(made)
    return Scores(_metrics(rows), rows)


def _metrics(rows: list[Row]) -> dict[str, float]:
    gains = [1 / math.log2(1 + rank) if rank <= 10 else 0.0 for rank in _ranks(rows)]
    above = [cast(float, row["above_negative"]) for row in rows if "above_negative" in row]
    return {
        "mrr_at_10": headline(rows),
        "ndcg_at_10": math.fsum(gains) / len(rows),
        **{f"recall_at_{k}": _recall(rows, k) for k in (1, 5, 10)},
        **({"triplet_accuracy": math.fsum(above) / len(above)} if above else {}),
    }


def _recall(rows: Sequence[Row], k: int) -> float:
    return sum(rank <= k for rank in _ranks(rows)) / len(rows)


def _ranks(rows: Sequence[Row]) -> list[float]:
    return [cast(float, row["rank"]) for row in rows]


def _answer(row: Row) -> str:
    return f"rank {row['rank']:g}; first: {row['first']}"
