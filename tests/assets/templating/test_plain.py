from dataclasses import replace

import pytest

from assets.records import Sample
from assets.templating.kinds import kind_of
from assets.templating.plain import plain_problems, render_plain
from assets.templating.tokenizer import END, START, train_tokenizer

POST = "Backfills are where trust goes to die. So we made them boring."


def sample(text: str, name: str = "s1") -> Sample:
    return Sample(name, "d1", "g1", "eval", {"text": text}, "offline")


@pytest.fixture
def tokenizer():
    return train_tokenizer([POST], 300)


def test_a_text_is_learnt_whole_between_start_and_end_token(tokenizer) -> None:
    (row,) = render_plain([sample(POST)], tokenizer, 100).examples
    assert tokenizer.decode(row.input_ids) == POST + END
    assert row.labels == row.input_ids
    assert (row.id, row.split) == ("s1", "eval")
    tokenizer.bos_token = START
    (row,) = render_plain([sample(POST)], tokenizer, 100).examples
    assert tokenizer.decode(row.labels) == START + POST + END


def test_a_long_text_is_split_and_nothing_of_it_is_cut(tokenizer) -> None:
    made = render_plain([sample(POST * 3, "s1"), sample("short", "s2")], tokenizer, 16)
    blocks = [row for row in made.examples if row.id != "s2"]
    assert tokenizer.decode([i for row in blocks for i in row.labels]) == POST * 3 + END
    lengths = [len(row.input_ids) for row in blocks]
    assert max(lengths) <= 16 and min(lengths) > 1
    assert [row.id for row in blocks][:2] == ["s1-0001", "s1-0002"]
    assert len({row.id for row in made.examples}) == len(made.examples)
    assert {row.split for row in blocks} == {"eval"} and not made.truncated


def test_samples_with_a_text_are_plain_only_where_nothing_else_fits() -> None:
    assert kind_of([sample(POST)], None) == "plain"
    labelled = replace(sample(POST), fields={"text": POST, "label": "safe"})
    assert kind_of([labelled], None) == "text"
    assert kind_of([labelled], "plain") == "plain"


def test_empty_texts_and_two_start_tokens_are_problems(tokenizer) -> None:
    tokenizer.bos_token = START
    made = render_plain([sample(" ", "s1"), sample(START + POST, "s2")], tokenizer, 100).examples
    problems = plain_problems(made, tokenizer)
    assert "1 rows have no text, s1 first" in problems
    assert "1 rows begin with the start token twice, s2 first" in problems
    tokenizer.eos_token = None
    assert "the tokenizer has no end token" in plain_problems(made, tokenizer)[-1]
