import numpy as np
import pytest

from assets.evaluation.bm25 import bm25
from assets.evaluation.preference_baseline import liked
from assets.evaluation.ranking import corpus_of, reranked
from assets.evaluation.word_labels import most_frequent_labels
from assets.loading.entities import Span, masked
from assets.records import RetrievalExample


def row(number: int, anchor: str, positive: str, negative: str = "") -> RetrievalExample:
    return RetrievalExample(f"r{number}", "g", "test", anchor, positive, negative, [[1], [2]])


ROWS = [row(0, "refund", "money back", "parcel"), row(1, "refund", "returns"), row(2, "slow", "x")]


def test_what_is_right_for_the_same_query_is_no_rival() -> None:
    corpus = corpus_of(ROWS)
    assert corpus.documents == ["money back", "parcel", "returns", "x"]
    table = np.array([[1.0, 2.0, 9.0, 0.0], [9.0, 1.0, 2.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    assert corpus.ranks(table) == [2.0, 1.0, 2.5]  # of four equals, half of the rivals above
    assert corpus.first(table)[:2] == ["parcel", "returns"]


def test_reranked_candidates_stand_before_the_rest_in_the_order_of_their_scores() -> None:
    first = np.array([[3.0, 2.0, 1.0, 0.0]])
    assert reranked(first, [[0, 1]], [-5.0, 7.0]).argsort()[0].tolist() == [3, 2, 0, 1]


def test_bm25_prefers_rare_words_and_short_texts() -> None:
    documents = ["the refund", "the parcel", "the refund of the parcel that came late"]
    table = bm25(["refund", "the", "nothing"], documents)
    assert table[0].argmax() == 0 and table[0][1] == 0
    assert table[1].max() < table[0].max()
    assert table[2].tolist() == [0, 0, 0]


def test_the_simple_judge_of_answers_learns_words() -> None:
    pairs = [("kind words", "rude words"), ("a kind reply", "a rude reply")] * 4
    [(one, other)] = liked(pairs, [("kind", "rude")])
    assert one > other


def test_a_word_has_the_label_it_mostly_had_and_an_unseen_one_that_of_its_shape() -> None:
    learnt = [("Ring Maria on 555", [_span(5, 10, "NAME"), _span(14, 17, "PHONE")])]
    [found] = most_frequent_labels(learnt, ["maria has 7788"])
    assert found == [_span(0, 5, "NAME"), _span(10, 14, "PHONE")]
    assert masked("maria has 7788", found) == "[NAME] has [PHONE]"
    assert most_frequent_labels([], ["maria"]) == [[]]


def _span(start: int, end: int, label: str) -> Span:
    return Span(start=start, end=end, label=label)


@pytest.mark.parametrize("negative", ["", "parcel"])
def test_a_negative_is_searched_too(negative: str) -> None:
    assert ("parcel" in corpus_of([row(0, "a", "b", negative)]).documents) is bool(negative)
