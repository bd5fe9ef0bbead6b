import random

import pytest
from rouge_score.rouge_scorer import RougeScorer

from assets.similarity.matching import Match
from assets.similarity.novelty import not_novel, rouge_l


def test_rouge_l_is_what_rouge_score_computes() -> None:
    scorer, rng = RougeScorer(["rougeL"]), random.Random(1)
    for _ in range(300):
        one, other = (" ".join(rng.choices("abcdef", k=rng.randrange(1, 90))) for _ in range(2))
        expected = scorer.score(one, other)["rougeL"].fmeasure
        assert rouge_l(one, other) == pytest.approx(expected, abs=1e-12)


def test_rouge_l_counts_words_in_their_order() -> None:
    assert rouge_l("Write a poem about cats", "write a POEM, about dogs!") == 0.8
    assert rouge_l("one two three four", "four three two one") == 0.25


def test_every_script_has_words_and_a_text_without_any_is_like_itself_only() -> None:
    assert rouge_l("Ätzend größer", "ätzend GRÖSSER") == 1.0
    assert rouge_l("\u4eca\u65e5\u306f", "\u4eca\u65e5") == 0.8
    assert (rouge_l("🎉", "🎉"), rouge_l("🎉", "🚀"), rouge_l("", "🚀")) == (1.0, 0.0, 0.0)


def test_of_two_like_instructions_the_smaller_id_is_kept() -> None:
    texts = [
        ("b", "write a poem about cats"),
        ("a", "write a poem about dogs"),
        ("c", "sum 2 and 3"),
    ]
    assert not_novel(texts) == {"b": Match("a", 0.8)}
    assert not_novel(texts, max_rouge_l=0.81) == {}


def test_a_likeness_of_just_the_limit_is_too_much() -> None:
    seven_of_ten = [(0, "a b c d e f g h i j"), (1, "a b c d e f g x y z")]
    assert not_novel(seven_of_ten, 0.7) == {1: Match(0, 0.7)}


def test_what_is_like_a_dropped_text_only_is_kept() -> None:
    chain = [(1, "a b c d e"), (2, "a b c d x"), (3, "a b c y x")]
    assert set(not_novel(chain, 0.8)) == {2}


def test_seeds_are_kept_even_where_they_are_alike_and_whatever_their_ids() -> None:
    seeds = [("y", "write a poem about cats"), ("z", "write a poem about dogs")]
    texts = [("a", "write a poem about owls"), ("b", "name three rivers")]
    assert not_novel(texts, seeds=seeds) == {"a": Match("y", 0.8)}


def test_the_same_result_as_comparing_every_two_in_any_order() -> None:
    rng = random.Random(4)
    for vocabulary, sizes in ((5, range(1, 8)), (40, range(1, 30)), (200, (3, 90))):
        known = [f"w{i}" for i in range(vocabulary)]
        texts = [(i, " ".join(rng.choices(known, k=rng.choice(sizes)))) for i in range(100)]
        texts += [(i + 500, text.replace("w1", "w2", 1)) for i, text in texts]
        for limit in (0.5, 0.7, 0.95):
            expected = _one_by_one(texts, limit)
            rng.shuffle(texts)
            assert not_novel(texts, limit) == expected


@pytest.mark.parametrize("limit", [0, 1.2])
def test_an_impossible_limit_is_refused(limit: float) -> None:
    with pytest.raises(ValueError, match=f"max_rouge_l is {limit}: it must lie above 0"):
        not_novel([("a", "x")], limit)


def _one_by_one(texts: list[tuple[int, str]], limit: float) -> dict[int, Match[int]]:
    kept: list[tuple[int, str]] = []
    found: dict[int, Match[int]] = {}
    for id, text in sorted(texts):
        near = [Match(other, rouge_l(text, earlier)) for other, earlier in kept]
        if near and (closest := max(near, key=lambda match: match.score)).score >= limit:
            found[id] = closest
        else:
            kept.append((id, text))
    return found
