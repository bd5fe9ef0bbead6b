"""Real trainings of tiny models: what moves, what stays, what comes back from the disk."""

import json
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel

from assets.finetuning.config import FinetuningConfig
from assets.finetuning.run import weights_hash, work
from assets.jobs import published, write_json
from assets.loading.models import load_base, load_tuned
from assets.records import Sample, to_rows
from assets.templating.config import TemplatingConfig
from assets.templating.render import render_chats, render_texts
from assets.templating.tokenizer import train_tokenizer
from resources.artifact_store import _write_parquet

WORDS = [
    "slow",
    "backfills",
    "partitions",
    "trust",
    "queues",
    "nightly",
    "owners",
    "retry",
    "replay",
]
SCRATCH = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 256,
    "num_train_epochs": 1,
    "learning_rate": 1e-3,
}


def samples() -> list[Sample]:
    rows = []
    for i in range(18):
        words = [WORDS[(i * k + k) % len(WORDS)] for k in range(1, 9)]
        fields = {
            "prompt": " ".join(words[:2]),
            "completion": " ".join(words * 3),
            "body": ("trust owners", "retry queues")[i % 2],
            "label": ("safe", "phishing")[i % 2],
        }
        rows.append(
            Sample(f"s{i:02}", f"d{i}", f"g{i}", ("train", "train", "eval")[i % 3], fields, "x")
        )
    return rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with chat/ and text/ training examples, and bert/, a two-layer encoder."""
    root = tmp_path_factory.mktemp("run")
    rows = samples()
    tokenizer = train_tokenizer([s.fields["completion"] for s in rows], 320)
    tokenizer.chat_template = TemplatingConfig().template_source()
    write_examples(root / "chat", tokenizer, render_chats(rows, tokenizer, "", 256).examples, None)
    labels = ["safe", "phishing"]
    texts = render_texts(rows, tokenizer, ("body",), labels, 64).examples
    write_examples(root / "text", tokenizer, texts, labels)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
    )
    BertModel(config).save_pretrained(root / "bert")
    return root


def write_examples(folder: Path, tokenizer, examples, labels) -> None:
    folder.mkdir()
    _write_parquet(to_rows(examples), folder / "rows.parquet")
    tokenizer.save_pretrained(folder / "tokenizer")
    kind = "text" if labels else "chat"
    write_json(folder / "template.json", {"kind": kind, "labels": labels, "template_hash": "t"})


def train(folder: Path, name: str, **section: object) -> tuple[Path, dict]:
    """Train and publish under `name`; return the folder and its manifest."""
    chat = section["objective"] == "sft"
    section = {
        "base_model": "scratch" if chat else str(folder / "bert"),
        "learning_rate": 0.01,
        **section,
    }
    config = FinetuningConfig(num_train_epochs=4, per_device_train_batch_size=4, **section)  # type: ignore[arg-type]
    job = {
        "run_key": name,
        "examples_dir": str(folder / ("chat" if chat else "text")),
        "inputs": {"training_examples": "v1"},
        "objective": config.objective,
        "method": config.method,
        "objective_options": config.options("objective").model_dump(),
        "method_options": config.options("method").model_dump(),
        "base_model": config.base_model,
        "scratch": SCRATCH,
        "settings": config.training_arguments(),
        "code_version": "c",
        "base_models_dir": str(folder / "base_models"),
    }
    with published(folder / name) as aside:
        manifest = work(job, aside, lambda line: None)
        write_json(aside / "manifest.json", manifest)
    return folder / name, manifest


PAIRS = [
    ({"objective": "sft", "method": "full"}, r".*"),
    ({"objective": "sft", "method": "lora"}, r".*lora_[AB].*"),
    ({"objective": "classify", "method": "full"}, r".*"),
    ({"objective": "classify", "method": "head"}, r".*(pooler|classifier).*"),
    ({"objective": "classify", "method": "lora"}, r".*(lora_[AB]|classifier).*"),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("section", "moves"), PAIRS, ids=lambda v: "+".join(v.values()) if isinstance(v, dict) else ""
)
def test_what_should_move_moves_and_nothing_else(folder: Path, section: dict, moves: str) -> None:
    import re

    published_at, manifest = train(folder, "-".join(section.values()), **section)
    base = load_base(manifest).state_dict()
    tuned, _ = load_tuned(published_at)
    for name, weight in tuned.state_dict().items():
        plain = (
            name.removeprefix("base_model.model.")
            .replace(".base_layer", "")
            .replace("modules_to_save.default.", "")
            .replace("original_module.", "")
        )
        if "lora_A" in name:
            continue
        if "lora_B" in name:
            assert weight.abs().sum() > 0, f"{name} did not move"
        elif "original_module" not in name:
            moved = not torch.equal(weight, base[plain])
            assert moved == bool(re.fullmatch(moves, plain)), f"{name} moved: {moved}"
    assert manifest["weights_hash"] == weights_hash(published_at / "model")
    losses = [entry["loss"] for entry in manifest["history"] if "loss" in entry]
    assert min(losses[1:]) < losses[0]
    assert [entry for entry in manifest["history"] if "eval_loss" in entry]


@pytest.mark.slow
def test_the_8_bit_optimizer_of_bitsandbytes_trains_too(folder: Path) -> None:
    section = {"objective": "classify", "method": "full", "optim": "adamw_bnb_8bit"}
    _, manifest = train(folder, "bnb", **section)
    losses = [entry["loss"] for entry in manifest["history"] if "loss" in entry]
    assert min(losses[1:]) < losses[0]


@pytest.mark.slow
def test_twice_from_nothing_gives_the_same_weights(folder: Path) -> None:
    _, first = train(folder, "first", objective="sft", method="lora")
    base = Path(first["base_model"]["path"])
    before = weights_hash(base)
    for path in base.iterdir():
        path.unlink()
    base.rmdir()
    _, second = train(folder, "second", objective="sft", method="lora")
    assert weights_hash(base) == before
    assert first["weights_hash"] == second["weights_hash"]


def test_a_tokenizer_of_another_model_is_refused(folder: Path, tmp_path: Path) -> None:
    config = BertConfig(vocab_size=50, hidden_size=32, num_hidden_layers=1, num_attention_heads=2)
    BertModel(config).save_pretrained(tmp_path / "small")
    with pytest.raises(ValueError, match="embeds 50: they do not belong together"):
        train(
            folder, "wrong", objective="classify", method="full", base_model=str(tmp_path / "small")
        )


def test_a_manifest_names_what_made_the_model(folder: Path) -> None:
    published_at, _ = train(folder, "named", objective="classify", method="head")
    manifest = json.loads((published_at / "manifest.json").read_text())
    assert manifest["inputs"] == {"training_examples": "v1"}
    assert manifest["packages"]["torch"].startswith("2.13")
    assert len(manifest["row_ids"]["train"]) == 12
    assert manifest["labels"] == ["safe", "phishing"]
    assert not list(published_at.rglob("*.bin")) + list(published_at.rglob("*.pkl"))
