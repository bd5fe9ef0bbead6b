"""The memory estimate: known figures by named conventions, the dry run, and a measured peak."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from transformers import LlamaConfig

from assets.discovery import find
from assets.finetuning.fitting import refusal, would_fit
from assets.finetuning.memory import (
    FOUR_BIT,
    MIXED_ADAM,
    MIXED_ADAM_NO_MASTER,
    Convention,
    Plan,
    estimate,
    low_rank_parameters,
)
from assets.finetuning.pairs import OBJECTIVES
from bench.memory import trained
from tests.assets.finetuning import tiny

GB = 1e9


def plan(method: str = "full", objective: str = "sft", **changes: Any) -> Plan:
    config = tiny.config(objective, method)
    module = find(OBJECTIVES, objective)
    manifest = {
        "base_model": {"path": changes.pop("base", config.base_model), "revision": None},
        "objective": objective,
        "model_kind": module.MODEL,
        "labels": tiny.LABELS if objective == "classify" else None,
        "quantization": None,
        "method": method,
        "method_options": config.options("method").model_dump(mode="json"),
    }
    settings = {**config.training_arguments(), **changes.pop("settings", {})}
    return Plan(manifest, settings, **{"tokens": 64, **changes})


# ---------------------------------------------------------------- rules of thumb, by convention


@pytest.mark.parametrize(
    ("convention", "trainable", "frozen", "said"),
    [
        (MIXED_ADAM, 10e9, 0, 160),
        # the deck's LoRA and QLoRA: gradients charged to frozen weights too, 1 % learns
        (replace(MIXED_ADAM, gradients_of_frozen=True), 0.1e9, 9.9e9, 41.2),
        (Convention("deck", 0.5, 6, 0.5, 8, gradients_of_frozen=True), 0.1e9, 9.9e9, 11.35),
        # what is needed: gradients of what learns only
        (MIXED_ADAM, 0.1e9, 10e9, 21.6),
        (FOUR_BIT, 0.1e9, 10e9, 6.6),
        # 130 weights + 130 gradients + 3 x 260, before 20 to 400 of activations
        (MIXED_ADAM, 65e9, 0, 1040),
        (MIXED_ADAM_NO_MASTER, 65e9, 0, 780),
        # 5.2 bits a parameter, all told
        (Convention("5.2 bits", 5.2 / 8, 0, 0, 0), 0, 65e9, 42.25),
    ],
)
def test_known_figures_come_out_by_the_convention_that_they_count_in(
    convention: Convention, trainable: float, frozen: float, said: float
) -> None:
    assert convention.bytes(trainable, frozen) / GB == pytest.approx(said, rel=1e-3)


def test_low_rank_counts_are_those_of_the_papers() -> None:
    assert 2048 * 12288 == 25_165_824
    assert low_rank_parameters(2048, 12288, 16) == 229_376
    gpt3 = 96 * 2 * low_rank_parameters(12288, 12288, 4)  # W_q and W_v of 96 layers
    assert gpt3 == 18_874_368
    assert gpt3 * 2 == pytest.approx(37.7e6, rel=1e-2)


# ---------------------------------------------------------------- the dry run


def test_weights_gradients_and_optimizer_are_counted_to_the_byte() -> None:
    config = LlamaConfig.from_pretrained(tiny.base("llama"))
    # untied: embeddings and head; two layers of four square and three feed-forward matrices; norms
    h, m, v = config.hidden_size, config.intermediate_size, config.vocab_size
    parameters = 2 * v * h + 2 * (4 * h * h + 3 * h * m + 2 * h) + h
    found = estimate(plan(settings={"gradient_accumulation_steps": 2}))
    assert (found.weights, found.optimizer) == (4 * parameters, 8 * parameters)
    assert found.gradients == 4 * parameters


def test_less_is_held_where_less_is_kept() -> None:
    whole = estimate(plan())
    assert estimate(plan(settings={"gradient_checkpointing": True})).activations < whole.activations
    assert estimate(plan(labelled=16)).logits < whole.logits / 3
    assert estimate(plan(tokens=32)).activations < whole.activations
    assert estimate(plan(settings={"optim": "adamw_bnb_8bit"})).optimizer < whole.optimizer / 3
    assert estimate(plan("lora")).optimizer < whole.optimizer / 4


def test_a_deep_model_is_estimated_from_shallow_ones(tmp_path: Path) -> None:
    from assets.finetuning import dry_run
    from assets.finetuning.memory import _batch, _skeleton

    config = LlamaConfig.from_pretrained(tiny.base("llama"))
    config.num_hidden_layers = 12
    config.save_pretrained(tmp_path)
    deep = plan("lora", base=str(tmp_path))
    build, batch = lambda n: _skeleton(deep, n), _batch(deep)
    shallow = dry_run.dry_run(build, 12, batch)
    exact = dry_run._peak(build(None), batch, None)
    assert (shallow.activations, shallow.logits) == (exact["activations"], exact["logits"])


def test_four_bit_weights_are_counted_as_they_are_kept() -> None:
    quantization = {"load_in_4bit": True, "bnb_4bit_use_double_quant": True}
    whole = plan("lora")
    packed = replace(whole, manifest={**whole.manifest, "quantization": quantization})
    matrices = 2 * (4 * 32 * 32 + 3 * 32 * 64)
    saved = estimate(whole).weights - estimate(packed).weights
    assert saved == pytest.approx(matrices * (4 - 0.5 - 1 / 64), abs=1)


# ---------------------------------------------------------------- what would fit


def test_what_does_not_fit_is_refused_with_settings_that_do() -> None:
    asked = plan(settings={"per_device_train_batch_size": 64})
    needed = estimate(asked)
    assert refusal(asked, needed, needed.total, "the GPU") is None
    said = refusal(asked, needed, needed.total * 9 // 10, "the GPU") or ""
    assert said.startswith("the training needs 0.")
    assert "activations" in said and "the GPU has 0." in said
    assert "per_device_train_batch_size: 32, gradient_accumulation_steps: 2 (0." in said
    assert "gradient_checkpointing: true (0." in said
    assert "method: lora" not in said  # its activations are the same


def test_where_no_single_setting_is_enough_several_are_named() -> None:
    asked = plan()

    def size(p: Plan) -> int:
        rows = p.settings["per_device_train_batch_size"]
        return 100 * rows // (2 if p.settings["gradient_checkpointing"] else 1)

    assert would_fit(asked, size, 50) == [
        "per_device_train_batch_size: 1, gradient_accumulation_steps: 4 with "
        "gradient_checkpointing: true (5e-08 GB)"
    ]
    assert would_fit(asked, lambda _: 99, 50) == []


# ---------------------------------------------------------------- measured


@pytest.mark.slow
def test_the_estimate_is_near_the_peak_of_a_real_training(tmp_path: Path) -> None:
    sizes = {"batch": 16, "accumulation": 1, "tokens": 256, "vocabulary": 4000, "steps": 2}
    asked = argparse.Namespace(**sizes, ragged=False)
    memory = trained(tmp_path, "4m", "full", asked)["memory"]
    assert memory["estimated_total"] == pytest.approx(memory["measured_peak"], rel=0.15)


def test_the_manifest_has_estimate_and_peak(tmp_path: Path) -> None:
    _, manifest = tiny.train(tmp_path, "classify", "head")
    memory = manifest["memory"]
    assert memory["estimated_total"] == sum(memory["estimated"].values())
    assert memory["measured_peak"] > memory["estimated"]["weights"]
    assert "dry run" in memory["convention"]
