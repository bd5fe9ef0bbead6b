"""Copies of weights that are kept over a step change no number, and are gone when it ends."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from assets.finetuning import training
from assets.finetuning.levers import computes_bf16
from tests.assets.finetuning import tiny


@pytest.mark.parametrize(("objective", "method"), [("classify", "full"), ("sft", "lora")])
def test_fewer_casts_give_the_very_same_weights(
    objective: str, method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[bool] = []
    counted = torch.autocast_increment_nesting
    monkeypatch.setattr(
        torch, "autocast_increment_nesting", lambda: (kept.append(True), counted())[1]
    )
    settings: dict[str, Any] = {"micro_batch_size": 1, "learning_rate": 1e-3, "bf16": True}
    few, _ = tiny.train(tmp_path, objective, method, "few", **settings)
    taken, kept[:] = len(kept), []
    monkeypatch.setattr(training, "cast_less", lambda trainer: None)
    many, _ = tiny.train(tmp_path, objective, method, "many", **settings)
    assert taken > len(kept)
    weights = [load_file(next((folder / "model").glob("*.safetensors"))) for folder in (few, many)]
    assert all(torch.equal(weights[0][name], other) for name, other in weights[1].items())
    assert torch.autocast_decrement_nesting() == -1  # none was left open
    torch.autocast_increment_nesting()


@pytest.mark.skipif(not computes_bf16(), reason="the device has no bfloat16")
@pytest.mark.parametrize(("objective", "options"), [("grpo", {}), ("distill", {"lmbda": 1.0})])
def test_an_adapter_that_writes_while_it_learns_reads_bfloat16(
    objective: str, options: dict[str, Any], tmp_path: Path
) -> None:
    _, manifest = tiny.train(tmp_path, objective, "lora", "it", bf16=True, **options)
    assert [entry for entry in manifest["history"] if "loss" in entry]
