"""What the rewards give, by their own names."""

from typing import Any

import pytest

from assets.discovery import find, options_of
from assets.finetuning.objectives.grpo import REWARDS

CITY = {"type": "object", "required": ["city"]}


def reward(name: str, answer: str, expected: str = "", **keys: Any) -> float:
    return find(REWARDS, name).reward(answer, expected, options_of(REWARDS, name)(**keys))


def test_the_same_result_earns_one_whatever_stands_around_it() -> None:
    assert reward("exact_match", "12 crates of 100, and 50. The answer is 1,250.", "1250") == 1.0
    assert reward("exact_match", "1,251", "1250") == 0.0
    assert reward("exact_match", "Answer: Partition pruning.", "partition pruning") == 1.0


def test_json_that_breaks_the_schema_earns_half() -> None:
    assert reward("json_schema", '```json\n{"city": "Bremen"}\n```', json_schema=CITY) == 1.0
    assert reward("json_schema", '{"town": "Bremen"}', json_schema=CITY) == 0.5
    assert reward("json_schema", "Bremen", json_schema=CITY) == 0.0
    with pytest.raises(ValueError, match="no JSON schema"):
        reward("json_schema", "{}", json_schema={"type": "city"})


def test_the_further_from_the_wanted_length_the_less_is_earned() -> None:
    words: dict[str, Any] = {"min_words": 4, "max_words": 10}
    earned = [reward("length", "word " * count, **words) for count in (0, 1, 4, 10, 15, 30)]
    assert earned == [0.0, 0.25, 1.0, 1.0, 0.5, 0.0]
    with pytest.raises(ValueError, match="min_words 4 is over max_words 2"):
        reward("length", "word", min_words=4, max_words=2)


def test_an_answer_that_looks_as_expected_earns_one() -> None:
    post = "Backfills fail quietly 🚚\n\nWhat do you do? #data"
    assert reward("style", post, post) == 1.0
    assert reward("style", post.replace("#data", ""), post) < 0.9
