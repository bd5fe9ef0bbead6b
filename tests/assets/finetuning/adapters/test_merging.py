import copy
from pathlib import Path

import pytest
import torch

from assets.finetuning.adapters.merging import average_adapters, average_models, shares
from assets.finetuning.low_rank import LowRankOptions, adapted
from tests.assets.loading.models import classifier, llama, outputs


def test_shares_sum_to_one_and_are_equal_without_weights() -> None:
    assert shares(None, 4) == [0.25] * 4
    assert shares([3, 1], 2) == [0.75, 0.25]


@pytest.mark.parametrize(
    ("weights", "count", "message"),
    [
        ([1], 2, "1 weights for 2 models: give two models or more"),
        (None, 1, "1 weights for 1 models"),
        ([1, -1], 2, r"weights \[1, -1\]: give none below zero"),
        ([0, 0], 2, "and one above it"),
    ],
)
def test_weights_that_are_no_shares_are_refused(weights, count: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        shares(weights, count)


def test_every_weight_of_the_average_is_the_weighted_one() -> None:
    one, other = classifier(), classifier()
    for parameter in other.parameters():
        parameter.data += 1
    before = copy.deepcopy(one.state_dict())
    merged = average_models([one, other], [1, 3])
    for name, weight in merged.state_dict().items():
        if weight.is_floating_point():
            torch.testing.assert_close(weight, before[name] + 0.75)


def test_models_of_two_architectures_cannot_be_merged() -> None:
    with pytest.raises(ValueError, match=r"cannot be merged: .* has shape \(40,\) in one and none"):
        average_models([classifier(), llama()])


def test_the_average_of_adapters_is_the_weighted_sum_of_their_changes(tmp_path: Path) -> None:
    folders = {"posts": tmp_path / "posts", "mails": tmp_path / "mails"}
    for rank, folder in enumerate(folders.values(), start=2):
        model = adapted(llama(), LowRankOptions(lora_r=rank, lora_alpha=5), "causal")
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.1)
        model.save_pretrained(folder)
    merged = average_adapters(llama(), folders, [1, 3])
    layer = merged.get_submodule("base_model.model.model.layers.0.mlp.up_proj")
    change = {name: layer.get_delta_weight(name) for name in ("posts", "mails", "average")}  # type: ignore[operator]
    torch.testing.assert_close(
        change["average"], 0.25 * change["posts"] + 0.75 * change["mails"], atol=1e-6, rtol=1e-5
    )
    assert merged.active_adapter == "average"  # type: ignore[comparison-overlap]
    averaged = outputs(merged)
    merged.set_adapter("posts")  # type: ignore[operator]
    assert not torch.allclose(outputs(merged), averaged)
