"""Tiny real things to train: two-layer bases, and rows of every kind of training examples."""

import json
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    LlamaConfig,
    LlamaForCausalLM,
)

from assets.discovery import find, options_of
from assets.finetuning.config import FinetuningConfig
from assets.finetuning.pairs import OBJECTIVES
from assets.finetuning.run import work
from assets.jobs import published, write_json
from assets.records import Sample, Split, to_rows
from assets.templating.comparisons import render_preferences, render_retrieval
from assets.templating.config import TemplatingConfig
from assets.templating.plain import render_plain
from assets.templating.render import render_chats, render_texts
from assets.templating.token_labels import render_tokens
from assets.templating.tokenizer import train_tokenizer
from resources.artifact_store import _write_parquet

WORDS = ("slow", "backfills", "partitions", "trust", "queues", "nightly", "owners", "retry")
LABELS = ["safe", "phishing"]
NAMES = ("Maria Lindholm", "Tom")
SPLITS: tuple[Split, ...] = ("train", "train", "eval")
LONGEST = 128  # tokens
SCRATCH = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 256,
    "num_train_epochs": 1,
    "learning_rate": 1e-3,
}

# What an objective needs, to train in a second.
OF_AN_OBJECTIVE: dict[str, dict[str, Any]] = {
    "grpo": {
        "rewards": {"length": 1.0},
        "min_words": 8,
        "num_generations": 4,
        "max_completion_length": 8,
    },
}


def samples(count: int = 18) -> list[Sample]:
    """Return samples that hold the fields of every kind; a third of them is of the split eval."""
    return [
        Sample(f"s{i:03}", f"d{i}", f"g{i}", SPLITS[i % 3], _fields(i), "offline")
        for i in range(count)
    ]


def _fields(i: int) -> dict[str, str]:
    words = [WORDS[(i * k + k) % len(WORDS)] for k in range(1, 9)]
    return {
        "prompt": " ".join(words[:2]),
        "completion": " ".join(words * (1 + i % 3)),
        "chosen": " ".join(words[2:6]),
        "rejected": " ".join(reversed(words[4:])),
        "anchor": " ".join(words[:2]),
        "positive": f"{words[0]} and {' '.join(words[1:5])}",
        "negative": " ".join(words[5:]),
        "body": ("trust owners", "retry queues")[i % 2],
        "label": LABELS[i % 2],
        "text": " ".join([*words[:3], NAMES[i % 2], *words * (1 + i % 3)]),
        "spans": _span(len(" ".join(words[:3])) + 1, NAMES[i % 2]),
    }


def _span(start: int, name: str) -> str:
    return json.dumps([{"start": start, "end": start + len(name), "label": "NAME"}])


@cache
def examples(kind: str) -> Path:
    """Return a folder of training examples of one kind, as templating publishes it."""
    rows, folder = samples(), Path(mkdtemp(prefix="tuneline-tiny-"))
    tokenizer = train_tokenizer([s.fields["completion"] for s in rows], 320)
    tokenizer.chat_template = TemplatingConfig().template_source()
    labels = None
    if kind == "chat":
        made: Any = render_chats(rows, tokenizer, "", LONGEST).examples
    elif kind == "preference":
        made = render_preferences(rows, tokenizer, "", LONGEST).examples
    elif kind == "retrieval":
        made = render_retrieval(rows, tokenizer, LONGEST).examples
    elif kind == "plain":
        made = render_plain(rows, tokenizer, LONGEST).examples
    elif kind == "text":
        labels = LABELS
        made = render_texts(rows, tokenizer, ("body",), LABELS, LONGEST).examples
    elif kind == "tokens":
        tagged = render_tokens(rows, tokenizer, LONGEST)
        made, labels = tagged.examples, list(tagged.labels)
    else:
        raise ValueError(f"no tiny examples of kind {kind!r}: add them here")
    _write_parquet(to_rows(made), folder / "rows.parquet")
    _write_parquet([], folder / "truncated.parquet")
    tokenizer.save_pretrained(folder / "tokenizer")
    template = {"kind": kind, "max_length": LONGEST, "labels": labels, "template_hash": "t"}
    write_json(folder / "template.json", template)
    return folder


@cache
def base(architecture: str) -> str:
    """Return the folder of a two-layer model, "llama" or "bert", with weights from a seed."""
    folder = mkdtemp(prefix=f"tuneline-{architecture}-")
    shape = {"vocab_size": 320, "hidden_size": 32, "intermediate_size": 64}
    shape |= {"num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 256}
    torch.manual_seed(0)
    if architecture == "llama":
        config = LlamaConfig(**shape, bos_token_id=None, eos_token_id=2, pad_token_id=0)  # type: ignore[arg-type]
        LlamaForCausalLM(config).save_pretrained(folder)
    else:
        BertModel(BertConfig(**shape)).save_pretrained(folder)  # type: ignore[arg-type]
    return folder


@cache
def text_teacher() -> str:
    """Return the folder of a model of another shape and seed, with the tokenizer of the rows."""
    from transformers import AutoTokenizer

    folder = mkdtemp(prefix="tuneline-teacher-")
    shape = LlamaConfig.from_pretrained(base("llama"), hidden_size=48, num_hidden_layers=1)
    torch.manual_seed(1)
    teacher = LlamaForCausalLM(shape)
    teacher.lm_head.weight.data.mul_(20)  # a model that is sure of something
    teacher.save_pretrained(folder)
    AutoTokenizer.from_pretrained(examples("chat") / "tokenizer").save_pretrained(folder)
    return folder


def base_for(objective: str) -> str:
    """Return a base that the objective can train."""
    module = find(OBJECTIVES, objective)
    llama = module.MODEL == "causal" or module.EXAMPLES == "preference"
    return base("llama" if llama else "bert")


@cache
def classifier(labels: tuple[str, ...] = tuple(LABELS)) -> str:
    """Return the folder of a two-layer classifier with its tokenizer, as a teacher."""
    folder = mkdtemp(prefix="tuneline-classifier-")
    torch.manual_seed(1)
    named = {"id2label": dict(enumerate(labels)), "label2id": {n: i for i, n in enumerate(labels)}}
    BertForSequenceClassification.from_pretrained(base("bert"), **named).save_pretrained(folder)
    AutoTokenizer.from_pretrained(examples("text") / "tokenizer").save_pretrained(folder)
    return folder


def teacher_for(objective: str) -> str:
    """Return a model that the objective can learn from."""
    return classifier() if find(OBJECTIVES, objective).MODEL == "sequence" else text_teacher()


def config(objective: str, method: str, **section: object) -> FinetuningConfig:
    """Return a short training; further keys as in a defs.yaml."""
    settings: dict[str, Any] = {
        "objective": objective,
        "method": method,
        "base_model": base_for(objective),
        "learning_rate": 0.01,
        "num_train_epochs": 4,
        "per_device_train_batch_size": 4,
        "bf16": False,
    }
    if "teacher_model" in options_of(OBJECTIVES, objective).model_fields:
        settings["teacher_model"] = teacher_for(objective)
    return FinetuningConfig(**{**settings, **OF_AN_OBJECTIVE.get(objective, {}), **section})


def job(config: FinetuningConfig, root: Path) -> dict[str, Any]:
    """Return the job file of a training, as the asset writes it."""
    teacher = config.teacher_model()
    return {
        "run_key": "r",
        "code_version": "c",
        "examples_dir": str(examples(find(OBJECTIVES, config.objective).EXAMPLES)),
        "inputs": {"training_examples": "v1"},
        "objective": config.objective,
        "objective_options": config.options("objective").model_dump(mode="json"),
        "method": config.method,
        "method_options": config.options("method").model_dump(mode="json"),
        "base_model": config.base_model,
        "teacher_model": teacher,
        "scratch": SCRATCH,
        "settings": config.training_arguments(),
        "finishing": config.finishing(),
        "base_models_dir": str(root / "base_models"),
        "output_dir": str(root / "model"),
    }


def train(
    root: Path, objective: str, method: str, name: str = "", **section: object
) -> tuple[Path, dict[str, Any]]:
    """Train and publish under `root`; return the folder and its manifest."""
    asked = job(config(objective, method, **section), root)
    folder = root / (name or f"{objective}-{method}")
    with published(folder) as aside:
        manifest = work(asked | {"output_dir": str(folder)}, aside, lambda line: None)
        write_json(aside / "manifest.json", manifest)
    return folder, manifest
