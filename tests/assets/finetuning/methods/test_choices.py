"""Each method on models built in code: what learns, what stays, what it refuses."""

from types import ModuleType
from typing import Any

import pytest
import torch

from assets.discovery import find, names, options_of
from assets.finetuning.pairs import METHODS
from tests.assets.loading.models import classifier, encoder, llama, outputs, step

MODELS = {"causal": llama, "sequence": classifier, "embedding": encoder}
PAIRS = [
    (name, kind)
    for name in names(METHODS)
    for kind in MODELS
    if find(METHODS, name).refusal("any", kind) is None
]


def applied(name: str, kind: str, **options: object) -> Any:
    method: ModuleType = find(METHODS, name)
    return method.apply(MODELS[kind](), options_of(METHODS, name)(**options), kind)


def learns(model: Any) -> set[str]:
    return {name for name, p in model.named_parameters() if p.requires_grad}


@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_what_learns_moves_and_nothing_else(name: str, kind: str) -> None:
    model = applied(name, kind)
    assert learns(model)
    assert step(model) == learns(model)


@pytest.mark.parametrize("kind", MODELS)
def test_last_layers_learn_from_the_block_on(kind: str) -> None:
    trained = learns(applied("last_layers", kind, last_n=1))
    parts = {n for n in trained if "layers.1." not in n and "layer.1." not in n}
    assert not any("layers.0." in n or "layer.0." in n or "embed" in n for n in trained)
    assert (
        parts
        == {
            "causal": {"model.norm.weight"},
            "sequence": {
                *("bert.pooler.dense.weight", "bert.pooler.dense.bias"),
                *("classifier.weight", "classifier.bias"),
            },
            "embedding": set(),
        }[kind]
    )


def test_more_blocks_than_the_model_has_are_refused() -> None:
    with pytest.raises(ValueError, match="last_n is 3, the model has 2 blocks: .* method full"):
        applied("last_layers", "causal", last_n=3)


def test_head_leaves_the_body_alone() -> None:
    assert all(
        n.startswith(("bert.pooler", "classifier")) for n in learns(applied("head", "sequence"))
    )


def test_full_leaves_out_a_pooler_that_no_loss_reaches() -> None:
    assert not [n for n in learns(applied("full", "embedding")) if "pooler" in n]
    assert [n for n in learns(applied("full", "sequence")) if "pooler" in n]


def test_an_adapter_starts_as_the_base_itself() -> None:
    assert torch.equal(outputs(applied("adapter", "sequence")), outputs(classifier()))


def test_spectrum_shows_its_table_and_trains_what_it_says() -> None:
    model = applied("spectrum", "causal", top_percent=50)
    table = find(METHODS, "spectrum").findings(model)["layers"]
    assert {f"{row['layer']}.weight" for row in table if row["trained"]} == learns(model)
    assert len(table) == 14


def test_spectrum_trains_the_embeddings_where_it_is_told_to() -> None:
    assert "model.embed_tokens.weight" in learns(
        applied("spectrum", "causal", train_embeddings=True)
    )
    assert "model.embed_tokens.weight" not in learns(applied("spectrum", "causal"))


def test_a_prefix_is_seen_by_padded_and_whole_rows_alike() -> None:
    model = applied("prefix", "sequence", num_virtual_tokens=3)
    row = torch.tensor([[5, 6, 7, 8]])
    padded = torch.nn.functional.pad(row, (0, 4))
    with torch.inference_mode():
        model.eval()
        alone = model(input_ids=row, attention_mask=torch.ones_like(row)).logits
        beside = model(input_ids=padded, attention_mask=(padded > 0).long()).logits
        base = classifier()(input_ids=row).logits
    torch.testing.assert_close(alone, beside)
    assert not torch.allclose(alone, base, atol=1e-6)


def test_qlora_asks_for_4_bits_with_quantised_scales_and_leaves_heads_alone() -> None:
    method = find(METHODS, "qlora")
    asked = method.quantization(method.Options(bnb_4bit_compute_dtype="float32"))
    assert asked == {
        "load_in_4bit": True,
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_use_double_quant": True,
        "bnb_4bit_compute_dtype": "float32",
        "llm_int8_skip_modules": ["classifier", "score", "lm_head"],
    }
    assert method.quantization(method.Options())["bnb_4bit_compute_dtype"] in (
        "bfloat16",
        "float32",
    )


@pytest.mark.parametrize("kind", ["causal", "embedding"])
def test_head_says_that_there_is_no_new_head(kind: str) -> None:
    assert "has no" in find(METHODS, "head").refusal("sft", kind)
