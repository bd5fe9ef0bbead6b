"""A reward model ranks, and finds the end of a row whatever it is padded with."""

from pathlib import Path
from typing import Any

import pytest
import torch

from assets.finetuning.objectives import reward
from assets.finetuning.preparing import prepare
from assets.loading.models import load_tuned
from tests.assets.finetuning import tiny
from tests.assets.finetuning.objectives.test_dpo import rows


def scores(model: Any, tokenizer: Any, texts: list[list[int]]) -> torch.Tensor:
    batch = tokenizer.pad({"input_ids": texts}, return_tensors="pt")
    with torch.no_grad():
        return model(**batch).logits[:, 0]


@pytest.mark.slow
def test_the_wanted_answers_score_higher(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"learning_rate": 0.02, "num_train_epochs": 8}
    folder, _ = tiny.train(tmp_path, "reward", "lora", **settings)
    chosen, rejected = (
        scores(*load_tuned(folder), [row[f"{which}_input_ids"] for row in rows()])
        for which in ("chosen", "rejected")
    )
    assert (chosen > rejected).float().mean() > 0.9


def test_a_row_scores_the_same_alone_and_padded_even_where_the_end_token_pads(
    tmp_path: Path,
) -> None:
    asked = tiny.job(tiny.config("reward", "full"), tmp_path)
    _, training = prepare(asked, tmp_path, lambda line: None)
    end = training.tokenizer.eos_token
    training.tokenizer.pad_token = end
    given: Any = reward.trainer(training)
    texts = [row["chosen_input_ids"] for row in rows()]
    texts[0] = [*texts[0], training.tokenizer.eos_token_id]
    model = given.model.eval()
    together = scores(model, training.tokenizer, texts[:2])
    alone = torch.cat([scores(model, training.tokenizer, [text]) for text in texts[:2]])
    torch.testing.assert_close(together, alone)
    unended = scores(model, training.tokenizer, [texts[0][:-1]])
    assert not torch.allclose(alone[0], unended[0])
    assert training.tokenizer.eos_token == end != training.tokenizer.pad_token
