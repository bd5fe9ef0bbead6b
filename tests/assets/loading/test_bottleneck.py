import json
from pathlib import Path

import pytest
import torch

from assets.loading import bottleneck
from tests.assets.loading.models import classifier, llama, outputs


@pytest.mark.parametrize("build", [llama, classifier])
def test_fresh_adapters_leave_every_output_as_it_was(build) -> None:
    model = build()
    before = outputs(model)
    names = {name for name, _ in model.named_parameters()}
    bottleneck.insert(model, 16, "gelu")
    assert torch.equal(outputs(model), before)
    added = {name for name, _ in model.named_parameters()} - names
    assert names < names | added
    assert len(added) == 8  # of two blocks: down and up, weight and bias
    assert all(".bottleneck." in name for name in added)


def test_the_width_is_the_hidden_size_by_the_reduction_factor() -> None:
    assert bottleneck.Bottleneck(40, 8, "relu").down.out_features == 5
    assert bottleneck.Bottleneck(40, 1000, "relu").down.out_features == 1


def test_adapters_of_a_bfloat16_model_learn_in_float32() -> None:
    model = llama().bfloat16()
    adapters = bottleneck.insert(model, 16, "silu")
    assert {p.dtype for p in adapters} == {torch.float32}
    assert outputs(model).dtype == torch.bfloat16


def saved(folder: Path):
    model = classifier()
    model.requires_grad_(False)
    for parameter in [*bottleneck.insert(model, 16, "gelu"), *model.classifier.parameters()]:
        parameter.requires_grad_(True)
        torch.nn.init.normal_(parameter)
    bottleneck.save(model, folder)
    return model


def test_saved_and_loaded_they_give_the_same_logits_and_the_base_is_not_in_the_file(
    tmp_path: Path,
) -> None:
    model = saved(tmp_path)
    loaded = bottleneck.load(classifier(), tmp_path)
    assert torch.equal(outputs(loaded), outputs(model))
    assert (tmp_path / bottleneck.WEIGHTS).stat().st_size < 8000
    settings = json.loads((tmp_path / bottleneck.SETTINGS).read_text())
    assert settings == {"reduction_factor": 16, "non_linearity": "gelu"}


def test_adapters_of_another_base_are_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    with pytest.raises(ValueError, match="is not of this base: it lacks .*layer.2.* and brings"):
        bottleneck.load(classifier(num_hidden_layers=3), tmp_path)
    with pytest.raises(ValueError, match="is not of this base: .*load it on the base_model"):
        bottleneck.load(llama(), tmp_path)
