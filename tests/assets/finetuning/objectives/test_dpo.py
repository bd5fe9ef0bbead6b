"""Preferences: the wanted answer gains on the other, measured against the base."""

from pathlib import Path
from typing import Any

import pytest
import torch

from assets.finetuning.objectives import dpo
from assets.finetuning.preparing import prepare
from assets.loading.models import load_base, load_tuned
from tests.assets.finetuning import tiny


def rows() -> list[dict[str, Any]]:
    """Return the training pairs whose answers differ."""
    import pyarrow.parquet as pq

    table = pq.read_table(tiny.examples("preference") / "rows.parquet")
    return [
        row
        for row in table.to_pylist()
        if row["split"] == "train" and row["chosen_labels"] != row["rejected_labels"]
    ]


def log_probability(model: Any, row: dict[str, Any], which: str) -> torch.Tensor:
    """Return the summed log-probability of an answer, by the row's own labels."""
    ids, labels = (torch.tensor(row[f"{which}_{part}"]) for part in ("input_ids", "labels"))
    with torch.no_grad():
        scores = model(ids[None]).logits[0, :-1].log_softmax(-1)
    wanted = labels[1:] != -100
    return scores[wanted].gather(1, labels[1:][wanted, None]).sum()


def margins(model: Any) -> torch.Tensor:
    pairs = [
        (log_probability(model, r, "chosen"), log_probability(model, r, "rejected")) for r in rows()
    ]
    return torch.stack([chosen - rejected for chosen, rejected in pairs])


@pytest.mark.slow
def test_the_wanted_answers_gain_on_the_others(tmp_path: Path) -> None:
    folder, manifest = tiny.train(tmp_path, "dpo", "lora", learning_rate=0.02)
    grown = margins(load_tuned(folder)[0]) - margins(load_base(manifest))
    assert (grown > 0).all()
    assert not (folder / "model" / "ref").exists()


def test_the_reference_is_the_base_and_every_learnt_token_counts(tmp_path: Path) -> None:
    asked = tiny.job(tiny.config("dpo", "lora"), tmp_path)
    manifest, training = prepare(asked, tmp_path, lambda line: None)
    training.tokenizer.pad_token = training.tokenizer.eos_token
    given: Any = dpo.trainer(training)
    base = load_base(manifest)
    for row, seen in zip(training.train, given.train_dataset, strict=True):
        for which in ("chosen", "rejected"):
            expected = log_probability(base, row, which)
            assert seen[f"ref_{which}_logps"] == pytest.approx(float(expected), rel=1e-4)
            assert seen[f"{which}_ids"][-1] == training.tokenizer.eos_token_id


def test_what_follows_an_answer_is_left_out_and_the_prompt_is_what_both_share() -> None:
    row = {
        "chosen_input_ids": [1, 2, 5, 6, 3, 9],
        "chosen_labels": [-100, -100, 5, 6, 3, -100],
        "rejected_input_ids": [1, 4, 7, 3, 9],
        "rejected_labels": [-100, 4, 7, 3, -100],
    }
    expected = {"prompt_ids": [1], "chosen_ids": [2, 5, 6, 3], "rejected_ids": [4, 7, 3]}
    assert dpo.completions(row) == expected


def test_what_dpo_would_not_heed_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match="label_smoothing_factor has no effect on 'dpo'"):
        tiny.config("dpo", "lora", label_smoothing_factor=0.1)
    with pytest.raises(ValueError, match="lora_dropout has no effect .* without dropout"):
        tiny.config("dpo", "lora", lora_dropout=0.1)
    assert tiny.config("dpo", "full", dropout=0.0, neftune_noise_alpha=5)
