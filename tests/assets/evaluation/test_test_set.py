from dataclasses import replace
from pathlib import Path

import pytest

from assets.evaluation.test_set import completion_ids, prompt_length, read_test_set, shown_prompts
from tests.assets.evaluation.conftest import POSTS, tokenizer_for, write_examples


def test_a_row_parts_into_prompt_and_completion(writer: Path):
    test = read_test_set(writer / "examples")
    row = test.rows[0]
    assert row.input_ids[prompt_length(row) :] == completion_ids(row)
    assert test.decode(completion_ids(row)) == POSTS[0][1]
    assert (len(test.rows), len(test.train)) == (6, 2)


def test_a_shown_prompt_is_the_idea_without_its_template(writer: Path):
    assert shown_prompts(read_test_set(writer / "examples")) == [idea for idea, _ in POSTS]


def test_a_lone_prompt_is_shown_whole(writer: Path):
    test = read_test_set(writer / "examples")
    assert "assistant" in shown_prompts(replace(test, rows=test.rows[:1]))[0]


def test_an_empty_test_split_is_refused(writer: Path, tmp_path: Path):
    train = read_test_set(writer / "examples").train
    folder = write_examples(tmp_path / "e", train, tokenizer_for(["a"], ["<|pad|>"]), None)
    with pytest.raises(ValueError, match="none of the 2 rows of e is in the test split"):
        read_test_set(folder)


def test_a_text_model_has_no_classes(writer: Path):
    with pytest.raises(ValueError, match="name no labels"):
        read_test_set(writer / "examples").classes()
