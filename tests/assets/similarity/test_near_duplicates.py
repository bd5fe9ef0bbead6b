import random
import subprocess
import sys
from itertools import combinations

import pytest

from assets.similarity.matching import Match
from assets.similarity.near_duplicates import jaccard, near_duplicates, shared_texts

LONG = " ".join(f"word{i}" for i in range(60))


def test_likeness_is_the_share_of_common_word_pairs() -> None:
    assert jaccard("One, two; three!", "one two\n\nTHREE") == 1.0
    assert jaccard("a b c d", "a b c x") == 0.5
    assert (jaccard("a", "a"), jaccard("a", "b"), jaccard("🎉", "🎉")) == (1.0, 0.0, 1.0)


def test_of_near_duplicates_the_smallest_id_is_kept_and_named() -> None:
    nearly = LONG.replace("word30", "other")
    found = near_duplicates([("c", LONG), ("a", nearly), ("b", "something else")], 0.8)
    assert found == {"c": Match("a", 57 / 61)}


def test_an_id_may_be_anything_that_sorts() -> None:
    assert near_duplicates([((1, "a"), LONG), ((0, "b"), LONG)], 0.8) == {
        (1, "a"): Match((0, "b"), 1.0)
    }


def test_no_pair_is_lost_among_thousands() -> None:
    texts = families(2_000)
    groups = [texts[:1_000], texts[1_000:]]
    near = {
        one: max(match for match in likeness if match >= 0.8)
        for one, text in groups[1]
        if (likeness := [s for _, other in groups[0] if (s := jaccard(text, other)) >= 0.8])
    }
    found = shared_texts(groups, 0.8)
    assert len(near) > 200
    assert {id: match.score for id, match in found.items()} == near


def test_the_texts_that_are_kept_are_unlike_and_the_others_like_one_of_them() -> None:
    texts = families(1_000)
    found = near_duplicates(texts, 0.8)
    kept = [(id, text) for id, text in texts if id not in found]
    assert 300 < len(kept) < 900
    assert all(jaccard(one, other) < 0.8 for (_, one), (_, other) in combinations(kept, 2))
    assert {match.id for match in found.values()} <= {id for id, _ in kept}


def test_any_order_gives_the_same_result() -> None:
    texts = families(1_000)
    expected = near_duplicates(texts, 0.8)
    for seed in range(3):
        random.Random(seed).shuffle(texts)
        assert near_duplicates(texts, 0.8) == expected


def test_thousands_of_copies_are_compared_with_the_one_kept() -> None:
    assert len(near_duplicates([(n, "thanks for watching") for n in range(20_000)], 0.8)) == 19_999


def test_likeness_inside_a_group_is_not_asked_for() -> None:
    assert shared_texts([[(1, LONG), (2, LONG)], [(3, "x y z"), (4, "x y z")]], 0.8) == {}
    assert shared_texts([[(1, LONG)], [], [(2, LONG)]], 0.8) == {2: Match(1, 1.0)}


def test_nothing_is_like_nothing() -> None:
    assert near_duplicates([], 0.8) == {} == shared_texts([[], []], 0.8)


def test_a_threshold_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="threshold is 0: it must lie above 0 and up to 1"):
        near_duplicates([("a", "x")], 0)


def test_importing_it_loads_no_numpy() -> None:
    code = (
        "import sys, assets.similarity.novelty, assets.similarity.near_duplicates; "
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def families(count: int) -> list[tuple[str, str]]:
    """Return texts in families, each member some words away from the first."""
    rng = random.Random(7)
    texts: list[tuple[str, str]] = []
    first: list[str] = []
    for n in range(count):
        if n % 5 == 0:
            first = [f"w{rng.randrange(400)}" for _ in range(rng.randrange(4, 60))]
        words = list(first)
        for _ in range(rng.randrange(4)):
            words[rng.randrange(len(words))] = f"w{rng.randrange(400)}"
        texts.append((f"{rng.randrange(10**9):09}", " ".join(words)))
    rng.shuffle(texts)
    return texts
