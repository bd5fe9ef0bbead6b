import random

import pytest

from assets.records import Split
from assets.validation.leakage import leaks
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


def test_a_short_answer_is_no_duplicate_where_the_prompts_differ() -> None:
    rows = [
        sample("a", prompt="what a clear video", completion="Thanks!"),
        sample("b", prompt="i never understood this before", completion="Thanks!"),
        sample("c", prompt="What a clear video!", completion="thanks"),
        sample("d", prompt="What a clear video!", completion="Where did you stop?"),
    ]
    assert reject(rows, Options()) == {"c": "100% the same as a in train"}


def test_a_comparison_is_a_duplicate_either_way_round_and_its_title_may_return() -> None:
    prompt = "Write a title for: lineage"
    rows = [
        sample("a", prompt=prompt, chosen="Follow the data", rejected="On lineage"),
        sample("b", prompt=prompt, chosen="On lineage!", rejected="follow the data"),
        sample("c", prompt=prompt, chosen="Follow the data", rejected="Who reads this?"),
    ]
    assert reject(rows, Options()) == {"b": "100% the same as a in train"}


def test_a_title_or_a_document_that_is_held_out_is_not_learnt_from() -> None:
    prompt = "Write a title for: lineage"
    rows = [
        sample("a", prompt=prompt, chosen="Follow the data", rejected="On lineage"),
        sample("b", "test", prompt=prompt, chosen="Follow the data", rejected="Who reads this?"),
        sample("c", anchor="who reads a table", positive=LONG),
        sample("d", anchor="find readers", positive=LONG),
        sample("e", "eval", anchor="what reads it", positive=NEARLY),
    ]
    assert reject(rows[:2], Options()) == {"a": "a text of it is 100% one of b"}
    assert reject(rows[2:], Options()) == dict.fromkeys("cd", "a text of it is 93% one of e")
    assert reject(rows[2:4], Options()) == {}
    left = [s for s in rows if s.id in "be"]
    assert leaks(left, 0.8) == []


def test_a_query_is_a_duplicate_where_it_has_the_same_document() -> None:
    query = "who reads a table"
    rows = [
        sample("a", anchor=query, positive=LONG),
        sample("b", anchor=query, positive=LONG),
        sample("c", anchor=query, positive="another text"),
        sample("d", anchor=query, positive=LONG, negative="a third text"),
    ]
    assert reject(rows, Options()) == {"b": "100% the same as a in train"}


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
