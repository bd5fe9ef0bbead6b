"""Tiny real models with the folders that the rooms before this one publish."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from assets.records import SPLITS, TrainingExample

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
POSTS = [
    ("idempotent backfills", "Backfills are honest.\n\nWhat do yours hide? #data"),
    ("small tables", "1. Keep it small\n2. Keep it typed\n\nThat is all 🚀"),
    ("late data", "Late data — it always comes. https://example.com"),
    ("on call", "A quiet pager is a feature."),
    ("<script>alert(1)</script>", "Escape <b>everything</b>, I said."),
    ("naming", "Names outlive code. Why rush them?"),
]
MAILS = [
    ("Your account is locked, verify the password at http://bad.example", 1),
    ("Lunch on Thursday? I booked the corner table", 0),
    ("Urgent: your parcel waits, pay the fee now", 1),
    ("Minutes of the planning meeting are in the folder", 0),
    ("You won a prize, <script>alert(1)</script> claim it", 1),
    ("The build is green again, thanks for the review", 0),
]
LABELS = ["safe", "phishing"]


def tokenizer_for(texts: list[str], specials: list[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    inner.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=300, special_tokens=specials, initial_alphabet=alphabet, show_progress=False
        ),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="<|im_end|>", pad_token="<|pad|>"
    )


def write_model(folder: Path, model: Any, tokenizer: Any, **manifest: Any) -> Path:
    """Write a `fine_tuned_model` folder whose base lies beside it."""
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    content = {
        "run_key": "abc",
        "method": "full",
        "labels": None,
        "weights_hash": "77aa",
        "parameters": {"total": 1000, "trainable": 1000},
        "history": [
            {"step": 1, "loss": 3.0},
            {"step": 1, "eval_loss": 3.1},
            {"step": 2, "loss": 2.0},
            {"step": 2, "eval_loss": 2.3},
            {"step": 3, "eval_loss": 2.29},
        ],
        "settings": {"learning_rate": 0.001},
        "seed": 7,
        **manifest,
    }
    (folder / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def write_examples(
    folder: Path, rows: list[TrainingExample], tokenizer: Any, labels: list[str] | None
) -> Path:
    """Write a `training_examples` folder."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([r.to_row() for r in rows]), folder / "rows.parquet")
    tokenizer.save_pretrained(folder / "tokenizer")
    template = {"kind": "chat", "labels": labels, "max_length": 256, "template_hash": "t"}
    (folder / "template.json").write_text(json.dumps(template), encoding="utf-8")
    return folder


def chat_row(tokenizer: Any, number: int, split: Any, idea: str, post: str) -> TrainingExample:
    prompt = "<|im_start|>system\nWrite.<|im_end|>\n"
    prompt += f"<|im_start|>user\n{idea}<|im_end|>\n<|im_start|>assistant\n"
    before = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    after = tokenizer(post + "<|im_end|>", add_special_tokens=False)["input_ids"]
    labels = [-100] * len(before) + after
    return TrainingExample(f"r{number}", f"g{number}", split, prompt + post, before + after, labels)


def make_writer(
    root: Path,
    vocab: list[str],
    seed: int = 0,
    lora: bool = False,
    posts: Sequence[tuple[str, str]] = POSTS,
) -> Path:
    """Write base, tuned model and examples of a tiny Llama; returns `root`."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = tokenizer_for(vocab, ["<|pad|>", "<|im_start|>", "<|im_end|>"])
    tokenizer.chat_template = CHATML
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=256,
    )
    torch.manual_seed(seed)
    model = LlamaForCausalLM(config)
    model.save_pretrained(root / "base")
    rows = [
        chat_row(tokenizer, number, split, *posts[number % len(posts)])
        for number, split in enumerate(["test"] * 6 + ["train"] * 2)
    ]
    tuned: Any = model
    if lora:
        from peft import LoraConfig, get_peft_model

        tuned = get_peft_model(
            model, LoraConfig(target_modules=["q_proj"], init_lora_weights=False, r=4)
        )
    else:
        _learn(model, rows)
    write_model(
        root / "model",
        tuned,
        tokenizer,
        objective="sft",
        method="lora" if lora else "full",
        base_model={"kind": "folder", "name": "base", "revision": None, "path": str(root / "base")},
    )
    write_examples(root / "examples", rows, tokenizer, None)
    return root


def _learn(model: Any, rows: list[TrainingExample]) -> None:
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for row in [*rows, *rows]:
        loss = model(
            input_ids=torch.tensor([row.input_ids]), labels=torch.tensor([row.labels])
        ).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def make_classifier(root: Path) -> Path:
    """Write base, tuned model and examples of a tiny BERT; returns `root`."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertModel

    tokenizer = tokenizer_for([text for text, _ in MAILS], ["<|pad|>", "<|im_end|>"])
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        pad_token_id=tokenizer.pad_token_id,
    )
    config.num_labels = 2
    torch.manual_seed(0)
    BertModel(config).save_pretrained(root / "base")
    model = BertForSequenceClassification(config)
    write_model(
        root / "model",
        model,
        tokenizer,
        objective="classify",
        labels=LABELS,
        base_model={"kind": "folder", "name": "base", "revision": None, "path": str(root / "base")},
    )
    rows = [
        TrainingExample(
            f"m-{split}-{n}", f"g{n}", split, text, tokenizer(text)["input_ids"], [label]
        )
        for split in SPLITS
        for n, (text, label) in enumerate(MAILS)
    ]
    write_examples(root / "examples", rows, tokenizer, LABELS)
    return root


def job_for(root: Path, benchmarks: list[str], **more: Any) -> dict[str, Any]:
    return {
        "run_key": "4be1",
        "pipeline": "tiny",
        "model_dir": str(root / "model"),
        "examples_dir": str(root / "examples"),
        "champion_dir": None,
        "champion_version": None,
        "benchmarks": benchmarks,
        "options": {"style_profile": {"style_prompts": 6, "max_new_tokens": 12}},
        "samples": 6,
        "seed": 0,
        "inputs": {"fine_tuned_model": "77aa", "training_examples": "03cd"},
        **more,
    }


@pytest.fixture(scope="session")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_writer(tmp_path_factory.mktemp("writer"), [f"{a} {b}" for a, b in POSTS])


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_classifier(tmp_path_factory.mktemp("classifier"))
