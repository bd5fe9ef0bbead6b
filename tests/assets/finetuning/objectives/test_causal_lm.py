"""Continued pre-training: what counts in the loss, and what does not."""

from pathlib import Path
from typing import Any

import pytest
import torch

from assets.finetuning.objectives import causal_lm
from assets.finetuning.preparing import prepare
from tests.assets.finetuning import tiny


@pytest.fixture(params=["a token of its own", "the end token"])
def trainer(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Return the trainer, with either padding token."""
    asked = tiny.job(tiny.config("causal_lm", "full"), tmp_path)
    _, training = prepare(asked, tmp_path, lambda line: None)
    if request.param == "the end token":
        training.tokenizer.pad_token = training.tokenizer.eos_token
    return causal_lm.trainer(training)


def test_the_loss_is_the_mean_over_real_tokens_whatever_stands_beside_them(trainer: Any) -> None:
    rows = sorted(trainer.train_dataset, key=lambda row: len(row["input_ids"]))
    short, long = rows[0], rows[-1]
    apart = [(loss(trainer, [row]), len(row["input_ids"]) - 1) for row in (short, long)]
    expected = sum(mean * count for mean, count in apart) / sum(count for _, count in apart)
    assert loss(trainer, [short, long]) == pytest.approx(expected, rel=1e-5)
    batch = trainer.data_collator([short, long])
    assert batch["labels"][0].tolist().count(-100) == len(long["labels"]) - len(short["labels"])


def test_the_end_token_of_every_text_is_learnt(trainer: Any) -> None:
    batch = trainer.data_collator(list(trainer.train_dataset))
    end = trainer.processing_class.eos_token_id
    assert (batch["labels"] == end).sum(dim=1).tolist() == [1] * len(trainer.train_dataset)


def loss(trainer: Any, rows: list[dict[str, Any]]) -> float:
    with torch.no_grad():
        return trainer.compute_loss(trainer.model.eval(), trainer.data_collator(rows)).item()
