"""Real trainings of tiny models, each from job to published folder."""

import json
from pathlib import Path

import pytest
from transformers import BertConfig, BertModel

from assets.finetuning.saving import weights_hash
from tests.assets.finetuning import tiny


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


def losses(manifest: dict, name: str = "loss") -> list[float]:
    return [entry[name] for entry in manifest["history"] if name in entry]


@pytest.mark.slow
def test_the_8_bit_optimizer_of_bitsandbytes_trains_too(root: Path) -> None:
    _, manifest = tiny.train(root, "classify", "full", "bnb", optim="adamw_bnb_8bit")
    assert min(losses(manifest)[1:]) < losses(manifest)[0]
    assert losses(manifest, "eval_loss")


@pytest.mark.slow
def test_twice_from_nothing_gives_the_same_weights(root: Path) -> None:
    _, first = tiny.train(root, "sft", "lora", "first", base_model="scratch")
    base = Path(first["base_model"]["path"])
    before = weights_hash(base)
    for path in base.iterdir():
        path.unlink()
    base.rmdir()
    _, second = tiny.train(root, "sft", "lora", "second", base_model="scratch")
    assert weights_hash(base) == before
    assert first["weights_hash"] == second["weights_hash"]


def test_a_tokenizer_of_another_model_is_refused(root: Path, tmp_path: Path) -> None:
    config = BertConfig(vocab_size=50, hidden_size=32, num_hidden_layers=1, num_attention_heads=2)
    BertModel(config).save_pretrained(tmp_path / "small")
    with pytest.raises(ValueError, match="embeds 50: they do not belong together"):
        tiny.train(root, "classify", "full", "wrong", base_model=str(tmp_path / "small"))


def test_a_manifest_names_what_made_the_model(root: Path) -> None:
    published_at, _ = tiny.train(root, "classify", "head")
    manifest = json.loads((published_at / "manifest.json").read_text())
    assert manifest["weights_hash"] == weights_hash(published_at / "model")
    assert manifest["inputs"] == {"training_examples": "v1"}
    assert manifest["packages"]["torch"].startswith("2.13")
    assert len(manifest["row_ids"]["train"]) == 12
    assert (manifest["examples"], manifest["model_kind"]) == ("text", "sequence")
    assert manifest["labels"] == ["safe", "phishing"]
    assert not list(published_at.rglob("*.bin")) + list(published_at.rglob("*.pkl"))


def test_dropout_of_the_base_is_set_and_trained_with(root: Path) -> None:
    _, without = tiny.train(root, "classify", "full", "still", dropout=0.0, max_steps=4)
    _, with_it = tiny.train(root, "classify", "full", "noisy", dropout=0.5, max_steps=4)
    assert without["weights_hash"] != with_it["weights_hash"]
