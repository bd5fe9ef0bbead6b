"""Answers that earn more become likelier; what is scored is the answer, beside the expected one."""

from pathlib import Path
from typing import Any

import pytest

from assets.finetuning.objectives import grpo
from assets.finetuning.preparing import prepare
from assets.finetuning.rewards import length
from tests.assets.finetuning import tiny


@pytest.mark.slow
def test_the_reward_grows_and_is_given_for_the_answer_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str]] = []
    earned: list[float] = []

    def spy(answer: str, expected: str, options: Any) -> float:
        seen.append((answer, expected))
        earned.append(min(1.0, answer.count(" ") / 8))
        return earned[-1]

    monkeypatch.setattr(length, "reward", spy)
    settings = {"lr_scheduler_type": "constant", "warmup_steps": 0, "learning_rate": 0.02}
    asked = tiny.job(
        tiny.config("grpo", "full", max_steps=12, per_device_train_batch_size=16, **settings),
        tmp_path,
    )
    _, training = prepare(asked, tmp_path, lambda line: None)
    training.arguments["eval_strategy"] = "no"
    trainer: Any = grpo.trainer(training)
    trainer.train()
    assert sum(earned[-48:]) > 1.5 * sum(earned[:48])
    completions = {s.fields["completion"] for s in tiny.samples()}
    assert {expected for _, expected in seen} <= completions
    assert not [answer for answer, _ in seen if "<|" in answer or "assistant\n" in answer]


def test_a_row_becomes_its_prompt_and_the_expected_answer(tmp_path: Path) -> None:
    asked = tiny.job(tiny.config("grpo", "lora", beta=0.1), tmp_path)
    _, training = prepare(asked, tmp_path, lambda line: None)
    fields = {s.id: s.fields for s in tiny.samples()}
    for row in training.train:
        made = grpo.question(row, training.tokenizer)
        prompt = str(training.tokenizer.decode(made["prompt"]))
        assert fields[row["id"]]["prompt"] in prompt and prompt.endswith("assistant\n")
        assert made["expected"] == fields[row["id"]]["completion"]
    grpo.trainer(training)
    assert list(training.model.peft_config) == ["default"], "the base is the reference"


def test_a_rewards_keys_are_the_objectives_and_an_unknown_reward_is_named() -> None:
    made = tiny.config("grpo", "lora", rewards={"json_schema": 1.0}, json_schema={"type": "array"})
    assert made.options("objective").json_schema == {"type": "array"}
    with pytest.raises(ValueError, match="unknown reward 'rhyme'; there are: exact_match,"):
        tiny.config("grpo", "lora", rewards={"rhyme": 1.0})


def test_a_batch_that_cuts_a_group_is_refused_and_so_is_one_of_more_prompts_than_there_are(
    tmp_path: Path,
) -> None:
    with pytest.raises(ValueError, match="is 6, which must be a multiple of num_generations 4"):
        tiny.config("grpo", "lora", per_device_train_batch_size=6)
    asked = tiny.job(tiny.config("grpo", "lora", per_device_train_batch_size=64), tmp_path)
    _, training = prepare(asked, tmp_path, lambda line: None)
    with pytest.raises(ValueError, match="holds 16 prompts, there are 12 rows"):
        grpo.trainer(training)
