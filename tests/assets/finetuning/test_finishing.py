from pathlib import Path

import pytest
import torch

from assets.finetuning import finishing
from assets.finetuning.finishing import finish, merged, sequences
from assets.finetuning.low_rank import LowRankOptions, adapted
from assets.loading.models import load_tuned
from tests.assets.finetuning import tiny
from tests.assets.loading.models import classifier, llama, outputs

ROWS = [{"id": f"r{i}", "input_ids": list(range(5 + i, 15 + i))} for i in range(6)]


def tuned(build, kind: str, **options: bool):
    model = adapted(build(), LowRankOptions(), kind, **options)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and "lora_A" not in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return model


@pytest.mark.parametrize("dora", [False, True])
@pytest.mark.parametrize(("build", "kind"), [(llama, "causal"), (classifier, "sequence")])
def test_a_merged_adapter_gives_the_same_outputs_without_peft(build, kind, dora: bool) -> None:
    model = tuned(build, kind, use_dora=dora)
    before = outputs(model)
    now = merged(model)
    assert type(now) is type(build())
    torch.testing.assert_close(outputs(now), before, atol=1e-5, rtol=1e-5)
    assert not [name for name, _ in now.named_parameters() if "lora" in name]


def test_the_report_holds_size_speed_and_the_largest_differences() -> None:
    lines: list[str] = []
    model, report = finish(tuned(llama, "causal"), "causal", ROWS, True, "nf4", lines.append)
    assert model.quantised_scheme == "nf4"
    assert report["rows"] == 6
    assert report["size_ratio"] == round(report["bytes_before"] / report["bytes_after"], 2) > 2
    assert report["milliseconds_per_row_after"] > 0
    assert report["largest_difference"]["merge_adapter"] <= report["merge_tolerance"]
    assert report["largest_difference"]["nf4"] > report["largest_difference"]["merge_adapter"]
    assert lines == [lines[0]]
    assert "merge_adapter changed an output by" in lines[0]


def test_a_merge_that_makes_another_model_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(model):
        base = merged(model)
        base.model.norm.weight.data *= 1.5  # type: ignore[union-attr]
        return base

    monkeypatch.setattr(finishing, "merged", broken)
    with pytest.raises(ValueError, match=r"more than the .* that rounding explains: .* float32"):
        finish(tuned(llama, "causal"), "causal", ROWS, True, None, lambda line: None)


def test_each_kind_of_example_has_a_sequence_to_measure() -> None:
    rows = [
        {"input_ids": [1, 2]},
        {"input_ids": [[3, 4], [5], [6]]},
        {"chosen_input_ids": [7, 8], "rejected_input_ids": [9]},
    ]
    assert list(sequences(rows)) == [[1, 2], [3, 4], [7, 8]]


@pytest.mark.slow
def test_a_trained_4_bit_model_is_merged_quantised_and_published(tmp_path: Path) -> None:
    section = {"merge_adapter": True, "quantise": "int8", "max_steps": 4}
    folder, manifest = tiny.train(tmp_path, "classify", "qlora", **section)
    report = manifest["finished"]
    assert 0 < report["largest_difference"]["merge_adapter"] <= report["merge_tolerance"]
    assert sorted(p.name for p in (folder / "model").glob("*.safetensors")) == [
        "quantised.safetensors"
    ]
    model, tokenizer = load_tuned(folder)
    assert not [name for name, _ in model.named_parameters() if "lora" in name]
    logits = model(**tokenizer("trust owners", return_tensors="pt")).logits
    assert logits.shape == (1, 2)
    assert torch.isfinite(logits).all()
