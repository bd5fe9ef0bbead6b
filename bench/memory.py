"""`python -m bench.memory [--sizes 50m 135m] [--methods full lora qlora] [--ragged]`: the estimate.

Each line is a real training of a Llama from configuration, by the job that a pipeline starts, in a
process of its own: what the preflight thought that it needs, and the most that it held, resident
memory on a CPU and `torch.cuda.max_memory_allocated` on a GPU. What a method freezes is kept in
bfloat16. The exit code is 1 where a ratio is off by more than 15 %.
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from assets.finetuning.config import FinetuningConfig
from assets.jobs import write_json
from assets.records import TrainingExample, to_rows
from resources.artifact_store import _write_parquet
from resources.launcher import PROCESS_POLICY

# hidden_size, num_hidden_layers, num_attention_heads, num_key_value_heads
SIZES: dict[str, tuple[int, int, int, int]] = {
    "4m": (256, 4, 4, 4),
    "50m": (512, 10, 8, 4),
    "135m": (576, 30, 9, 3),
    "1b": (2048, 16, 32, 8),
    "8b": (4096, 32, 32, 8),
}
MOST_OFF = 0.15


def main() -> int:
    """Measure, print a line each, and return the exit code."""
    parser = argparse.ArgumentParser(prog="bench.memory")
    parser.add_argument("--sizes", nargs="+", default=["50m", "135m"], choices=SIZES)
    parser.add_argument("--methods", nargs="+", default=["full", "lora", "qlora"])
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--accumulation", type=int, default=2)
    parser.add_argument("--vocabulary", type=int, default=32_000)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--ragged", action="store_true", help="rows of a quarter to all tokens")
    asked = parser.parse_args()
    print(f"{'':<16}{'estimated MB':>14}{'measured MB':>14}{'ratio':>8}   by parts", flush=True)
    ratios = [_line(size, method, asked) for size in asked.sizes for method in asked.methods]
    return 0 if all(abs(ratio - 1) <= MOST_OFF for ratio in ratios) else 1


def _line(size: str, method: str, asked: argparse.Namespace) -> float:
    with TemporaryDirectory() as folder:
        memory = trained(Path(folder), size, method, asked)["memory"]
    estimated, peak = memory["estimated_total"], memory["measured_peak"]
    parts = ", ".join(f"{k} {v / 1e6:.0f}" for k, v in memory["estimated"].items() if v)
    print(
        f"- {size:<5}{method:<9}{estimated / 1e6:>14.0f}{peak / 1e6:>14.0f}"
        f"{estimated / peak:>8.2f}   {parts}",
        flush=True,
    )
    return estimated / peak


def trained(folder: Path, size: str, method: str, asked: argparse.Namespace) -> dict[str, Any]:
    """Return the manifest of a training in a process of its own."""
    environment = {**PROCESS_POLICY, **os.environ}
    precision = "float32" if method == "full" else "bfloat16"
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(make_base, folder / "base", SIZES[size], asked.vocabulary, precision).result()
    rows = asked.batch * asked.accumulation * asked.steps
    _write_examples(folder / "examples", rows, asked.tokens, asked.vocabulary, asked.ragged)
    write_json(folder / "job.json", _job(folder, method, asked))
    run = [sys.executable, "-m", "assets.finetuning.run", str(folder / "job.json")]
    subprocess.run(run, check=True, env=environment, stdout=subprocess.DEVNULL)
    return json.loads((folder / "model" / "manifest.json").read_text(encoding="utf-8"))


def _job(folder: Path, method: str, asked: argparse.Namespace) -> dict[str, Any]:
    config = FinetuningConfig(
        objective="sft",
        method=method,
        base_model=str(folder / "base"),
        per_device_train_batch_size=asked.batch,
        gradient_accumulation_steps=asked.accumulation,
        micro_batch_size=asked.batch,
        num_train_epochs=1,
    )
    return {
        "run_key": "bench",
        "code_version": "bench",
        "examples_dir": str(folder / "examples"),
        "inputs": {},
        "objective": config.objective,
        "objective_options": config.options("objective").model_dump(mode="json"),
        "method": config.method,
        "method_options": config.options("method").model_dump(mode="json"),
        "base_model": config.base_model,
        "teacher_model": None,
        "scratch": config.scratch.model_dump(),
        "settings": config.training_arguments(),
        "finishing": config.finishing(),
        "base_models_dir": str(folder / "base_models"),
        "output_dir": str(folder / "model"),
    }


def _write_examples(
    folder: Path, rows: int, tokens: int, vocabulary: int, ragged: bool = False
) -> None:
    """Write rows, the second half of each labelled, and a tokenizer of few words."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    folder.mkdir()
    lengths = [tokens - i * 37 % (3 * tokens // 4) * ragged for i in range(rows)]
    ids = [
        [3 + (i * 7919 + j * 31) % (vocabulary - 3) for j in range(length)]
        for i, length in enumerate(lengths)
    ]
    made = [
        TrainingExample(
            *(f"r{i:04}", f"g{i}", "train", "", row),
            [-100] * (len(row) // 2) + row[len(row) // 2 :],
        )
        for i, row in enumerate(ids)
    ]
    _write_parquet(to_rows(made), folder / "rows.parquet")
    _write_parquet([], folder / "truncated.parquet")
    words = Tokenizer(models.WordLevel({"<unk>": 0, "<pad>": 1, "</s>": 2}, unk_token="<unk>"))
    PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token="<unk>", pad_token="<pad>", eos_token="</s>"
    ).save_pretrained(folder / "tokenizer")
    template = {"kind": "chat", "max_length": tokens, "labels": None, "template_hash": "bench"}
    write_json(folder / "template.json", template)


def make_base(
    folder: Path, sizes: tuple[int, int, int, int], vocabulary: int, precision: str
) -> None:
    """Save a Llama with random weights; it is made in a process of its own, which then is gone."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    hidden_size, layers, heads, key_value_heads = sizes
    config = LlamaConfig(
        hidden_size=hidden_size,
        intermediate_size=hidden_size * 8 // 3 // 64 * 64,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=key_value_heads,
        vocab_size=vocabulary,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=2,
        pad_token_id=1,
        dtype=precision,
    )
    torch.set_default_dtype(getattr(torch, precision))
    LlamaForCausalLM(config).save_pretrained(folder)


if __name__ == "__main__":
    sys.exit(main())
