import pytest

from assets.finetuning.low_rank import LowRankOptions, adapted
from tests.assets.loading.models import classifier, encoder, llama, step


def learns(model) -> list[str]:
    return [name for name, p in model.named_parameters() if p.requires_grad]


def test_only_the_named_matrices_get_an_adapter_of_the_asked_rank() -> None:
    model = adapted(llama(), LowRankOptions(lora_r=3, target_modules=["q_proj"]), "causal")
    assert {n.split(".")[-4] for n in learns(model)} == {"q_proj"}
    shapes = {tuple(p.shape) for p in model.parameters() if p.requires_grad}
    assert shapes == {(3, 40), (40, 3)}


def test_rank_stabilised_adapters_are_scaled_by_the_root_of_the_rank() -> None:
    options = LowRankOptions(lora_r=4, lora_alpha=8, use_rslora=True)
    model = adapted(llama(), options, "causal")
    assert model.model.model.layers[0].mlp.up_proj.scaling == {"default": 4.0}  # type: ignore[union-attr]


def test_dora_learns_a_length_for_each_column_too() -> None:
    model = adapted(llama(), LowRankOptions(), "causal", use_dora=True)
    assert sum("lora_magnitude_vector" in name for name in learns(model)) == 14


def test_a_new_head_learns_whole_and_the_pooler_before_it_by_an_adapter() -> None:
    model = adapted(classifier(), LowRankOptions(), "sequence")
    outside = [n for n in learns(model) if "encoder.layer" not in n]
    assert sum("pooler.dense.lora" in name for name in outside) == 2
    assert [n for n in outside if "pooler" not in n] == [
        "base_model.model.classifier.modules_to_save.default.weight",
        "base_model.model.classifier.modules_to_save.default.bias",
    ]
    assert step(model) == set(learns(model))


def test_an_embedding_models_pooler_which_is_never_used_gets_no_adapter() -> None:
    model = adapted(encoder(), LowRankOptions(), "embedding")
    assert learns(model)
    assert not [name for name in learns(model) if "pooler" in name]


def test_a_matrix_that_the_base_has_not_is_refused_with_those_it_has() -> None:
    options = LowRankOptions(target_modules=["q_proj", "query"])
    with pytest.raises(ValueError, match="no matrix 'query'; it has: down_proj, .*q_proj"):
        adapted(llama(), options, "causal")
