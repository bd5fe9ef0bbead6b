import pytest
from torch import nn

from assets.loading.layers import blocks, feed_forward_outputs, from_block, new_parameters
from tests.assets.loading.models import classifier, encoder, llama


def test_blocks_are_found_by_their_names_in_order() -> None:
    assert list(blocks(llama())) == ["model.layers.0", "model.layers.1"]
    assert list(blocks(classifier())) == ["bert.encoder.layer.0", "bert.encoder.layer.1"]


def test_a_model_without_a_list_of_blocks_is_refused_with_what_to_do() -> None:
    model = llama()
    model.config.num_hidden_layers = 5
    with pytest.raises(ValueError, match="keeps its 5 layers in no list .* lora or full"):
        blocks(model)


def test_an_adapter_follows_the_matrix_that_ends_the_feed_forward() -> None:
    assert next(iter(feed_forward_outputs(llama()))) == "model.layers.0.mlp.down_proj"
    assert list(feed_forward_outputs(classifier()))[1] == "bert.encoder.layer.1.output.dense"


def test_a_block_that_ends_elsewhere_takes_no_adapter() -> None:
    model = llama()
    model.model.layers[0].mlp.down_proj = nn.Linear(72, 7)  # type: ignore[assignment]
    with pytest.raises(ValueError, match="layers.0 of LlamaForCausalLM does not end in a matrix"):
        feed_forward_outputs(model)


def test_behind_the_last_block_come_the_norm_and_an_untied_head() -> None:
    def names(model) -> set[str]:
        last = {id(p) for p in from_block(model, "model.layers.1")}
        return {n.partition("layers.1.")[0] for n, p in model.named_parameters() if id(p) in last}

    assert names(llama(tied=True)) == {"model.", "model.norm.weight"}
    assert names(llama(tied=False)) == {"model.", "model.norm.weight", "lm_head.weight"}


def test_what_a_task_added_is_its_head_and_the_pooler() -> None:
    assert len(new_parameters(classifier())) == 4
    assert new_parameters(encoder()) == []
