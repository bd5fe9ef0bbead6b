import pytest

from assets.records import TrainingExample
from assets.templating import preflight
from assets.templating.tokenizer import train_tokenizer


@pytest.fixture(scope="module")
def tokenizer():
    tokenizer = train_tokenizer(["one two three"], 300)
    tokenizer.bos_token = "<|im_start|>"
    return tokenizer


def example(input_ids: list[int], labels: list[int], split: str = "train") -> TrainingExample:
    return TrainingExample("s1", "g1", split, "text", input_ids, labels)  # type: ignore[arg-type]


def test_a_sound_chat_has_no_problem(tokenizer) -> None:
    end = tokenizer.eos_token_id
    assert not preflight.chat_problems([example([5, 6, end], [-100, 6, end])], (), tokenizer)


def test_every_mistake_is_named_at_once(tokenizer) -> None:
    start, answer = tokenizer.bos_token_id, tokenizer("one two three " * 5)["input_ids"]
    prompt = [start, start, *answer]
    masked = [-100] * len(prompt)
    rows = [example([5, 6], [-100, -100]), example(prompt + answer, masked + answer)]
    problems = "\n".join(preflight.chat_problems(rows, (), tokenizer))
    assert "1 rows have no token to learn, s1 first" in problems
    assert "2 rows do not learn the end token '<|im_end|>'" in problems
    assert "1 rows begin with the start token twice" in problems
    assert "1 rows hold their answer in the prompt" in problems


def test_a_cut_row_need_not_learn_the_end_token(tokenizer) -> None:
    assert not preflight.chat_problems([example([5, 6], [-100, 6])], ("s1",), tokenizer)


def test_one_class_only_is_a_problem() -> None:
    problems = preflight.text_problems([example([1], [0])], classes=2)
    assert problems == ["the training split holds 1 of 2 classes"]


def test_truncation_over_the_limit_says_what_to_raise() -> None:
    assert preflight.truncation_problem(5, 100, 0.05, 512) == []
    [problem] = preflight.truncation_problem(6, 100, 0.05, 512)
    assert "6 of 100 rows are longer than max_length 512" in problem


def test_a_missing_test_split_is_a_problem() -> None:
    assert preflight.empty_splits([example([1], [1])]) == ["the test split is empty"]
