import random

import pytest

from assets.records import Split
from assets.validation.rules.near_duplicate import Options, reject
from tests.assets.validation.samples import posts, sample

LONG = " ".join(f"word{i}" for i in range(60))
NEARLY = LONG.replace("word30", "other")


def test_different_texts_stay() -> None:
    assert reject(posts(), Options()) == {}


def test_of_two_nearly_equal_texts_the_smaller_id_stays_and_the_reason_names_it() -> None:
    twins = [sample("b", body=NEARLY), sample("a", body=LONG)]
    assert reject(twins, Options()) == {"b": "93% the same as a in train"}


@pytest.mark.parametrize(
    ("gone", "stays"), [("train", "eval"), ("train", "test"), ("eval", "test")]
)
def test_of_two_splits_the_held_out_one_keeps_the_text(gone: Split, stays: Split) -> None:
    twins = [sample("a", gone, body=LONG), sample("b", stays, body=NEARLY)]
    assert reject(twins, Options()) == {"a": f"93% the same as b in {stays}"}


def test_a_higher_threshold_lets_the_pair_through() -> None:
    assert reject([sample("a", body=LONG), sample("b", body=NEARLY)], Options(threshold=0.95)) == {}


def test_the_order_of_the_rows_does_not_matter() -> None:
    rng = random.Random(7)
    rows = []
    for i in range(200):  # families of texts, each member a few words away from the last one
        words = [f"f{i // 10}w{j}" for j in range(40)]
        for _ in range(i % 10):
            words[rng.randrange(40)] = f"x{rng.randrange(10_000)}"
        rows.append(
            sample(
                f"{rng.randrange(10**9)}", ("train", "eval", "test")[i % 3], body=" ".join(words)
            )
        )
    expected = reject(rows, Options())
    assert 20 < len(expected) < 180
    for _ in range(3):
        rng.shuffle(rows)
        assert reject(rows, Options()) == expected


def test_case_marks_and_spaces_make_no_difference() -> None:
    twins = [sample("a", body="One, two; three!"), sample("b", body="one two\n\nTHREE")]
    assert reject(twins, Options()) == {"b": "100% the same as a in train"}


def test_texts_without_words_are_alike_only_where_they_are_equal() -> None:
    rows = [sample("a", body="🎉"), sample("b", body="🎉"), sample("c", body="🚀")]
    assert reject(rows, Options()) == {"b": "100% the same as a in train"}
