import random
from dataclasses import replace

from assets.validation.leakage import leaks
from tests.assets.validation.samples import posts, sample

LONG = " ".join(f"word{i}" for i in range(60))


def test_clean_splits_do_not_leak() -> None:
    assert leaks(posts(), 0.8) == []


def test_a_group_in_two_splits_is_named() -> None:
    rows = [replace(s, group_id="thread") if s.id in ("p00", "p04") else s for s in posts()]
    assert leaks(rows, 0.8) == ["group thread is in train and test"]


def test_the_same_text_in_two_splits_is_shown_with_its_ids() -> None:
    rows = [sample("a", "train", body="Hello, World"), sample("b", "eval", body="hello world!")]
    assert leaks(rows, 0.8) == ["train and eval hold the same text 'Hello, World' (a, b)"]


def test_a_near_duplicate_across_splits_is_found_from_the_threshold_on() -> None:
    rows = [sample("a", "train", body=LONG), sample("b", "test", body=LONG.replace("word30", "x"))]
    (leak,) = leaks(rows, 0.8)
    assert leak.startswith("train a and test b are 93% the same: 'word0 word1")
    assert leaks(rows, 0.95) == []


def test_a_short_answer_leaks_only_together_with_its_prompt() -> None:
    thanks = "Thanks, glad you liked it!"
    rows = [
        sample("a", "train", prompt="What a clear video", completion=thanks),
        sample("b", "test", prompt="I never understood this before", completion=thanks),
    ]
    assert leaks(rows, 0.8) == []
    rows.append(sample("c", "eval", prompt="what a CLEAR video!", completion=thanks))
    assert leaks(rows, 0.8) == [
        "train and eval hold the same text 'Thanks, glad you liked it!' (a, c)"
    ]


def test_a_title_or_a_document_in_two_splits_leaks() -> None:
    prompt, title = "A title for: lineage", "Follow the data"
    rows = [
        sample("a", "train", prompt=prompt, chosen=title, rejected="On lineage"),
        sample("b", "test", prompt=prompt, chosen=title, rejected="Lineage, explained"),
        sample("c", "train", anchor="who reads a table", positive=LONG),
        sample("d", "eval", anchor="find readers", positive=LONG),
    ]
    assert leaks(rows[:2], 0.8) == ["train and test hold the same text 'Follow the data' (a, b)"]
    assert [leak.rpartition("…")[2] for leak in leaks(rows[2:], 0.8)] == ["' (c, d)"]


def test_likeness_inside_a_split_is_no_leak() -> None:
    assert leaks([sample("a", body=LONG), sample("b", body=LONG)], 0.8) == []


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = [*posts(), *(replace(p, id=f"x{p.id}", split="eval") for p in posts(4))]
    expected = leaks(rows, 0.8)
    random.Random(1).shuffle(rows)
    assert expected and leaks(rows, 0.8) == expected
