"""The training job: `python -m assets.finetuning.run job.json`, by Dagster Pipes or alone.

{"output_dir": "…/fine_tuned_model/71ab…", "run_key": "71ab…", "objective": "sft",
 "examples_dir": "…/training_examples/9c1f…", "method": "lora", "options": {"lora_r": 8},
 "settings": {"learning_rate": 2e-4, …}, …}
"""

import hashlib
import json
import platform
import resource
import shutil
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.discovery import find, options_of
from assets.finetuning.config import METHODS, OBJECTIVES
from assets.jobs import Say, run_job
from assets.models import load_base, parse_base_model

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

FROM_THE_JOB = ["run_key", "objective", "method", "options", "settings", "inputs", "code_version"]
PACKAGES = ("torch", "transformers", "peft", "trl", "accelerate", "datasets")


def work(job: dict[str, Any], folder: Path, say: Say) -> dict[str, Any]:
    """Train what `job` asks for, save the model under `folder/model`, return the manifest."""
    say("loading torch, transformers and the rows")
    from transformers import AutoTokenizer, set_seed

    from assets.finetuning.training import Training, Watch, shared_arguments, train

    began = time.monotonic()
    examples = Path(job["examples_dir"])
    template = json.loads((examples / "template.json").read_text(encoding="utf-8"))
    learnt, watched = _rows(examples, "train"), _rows(examples, "eval")
    tokenizer = AutoTokenizer.from_pretrained(examples / "tokenizer")
    watch = Watch(say, f"{job['objective']} by {job['method']}")
    manifest = {
        **{key: job[key] for key in FROM_THE_JOB},
        "seed": job["settings"]["seed"],
        "labels": template["labels"],
        "template_hash": template["template_hash"],
        "base_model": _base(job, tokenizer, learnt, say),
    }
    model = _prepare(manifest, tokenizer)
    set_seed(manifest["seed"])
    training = Training(
        model=model,
        tokenizer=tokenizer,
        train=learnt,
        eval=watched,
        arguments=shared_arguments(len(learnt), bool(watched), job["settings"], folder),
        callbacks=[watch],
    )
    say(f"training {_trainable(model):,} of {_total(model):,} parameters on {len(learnt)} rows")
    train(find(OBJECTIVES, job["objective"]).trainer(training))
    _save(model, tokenizer, examples / "template.json", folder)
    return {
        **manifest,
        "weights_hash": weights_hash(folder / "model"),
        "parameters": {"total": _total(model), "trainable": _trainable(model)},
        "history": watch.history,
        "row_ids": {"train": [r["id"] for r in learnt], "eval": [r["id"] for r in watched]},
        "seconds": round(time.monotonic() - began, 1),
        **_circumstances(training.arguments["bf16"]),
    }


def weights_hash(folder: Path) -> str:
    """Return 16 hex digits of SHA-256 over the safetensors files of a folder, names included."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        digest.update(path.name.encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:16]


def _rows(examples: Path, split: str) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    rows = pq.read_table(examples / "rows.parquet", filters=[("split", "=", split)])
    return rows.to_pylist()


def _base(
    job: dict[str, Any], tokenizer: "PreTrainedTokenizerBase", train: list[dict[str, Any]], say: Say
) -> dict[str, Any]:
    base = parse_base_model(job["base_model"])
    if base.kind == "scratch":
        from assets.finetuning.scratch import build_scratch

        path = str(build_scratch(job, tokenizer, train, say))
    else:
        path = base.location()
    return {"kind": base.kind, "name": base.name, "revision": base.revision or "main", "path": path}


def _prepare(manifest: dict[str, Any], tokenizer: "PreTrainedTokenizerBase") -> "PreTrainedModel":
    model = load_base(manifest).train()
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id
    embedded = next(model.get_input_embeddings().parameters()).shape[0]
    if len(tokenizer) > embedded:
        raise ValueError(
            f"the tokenizer has {len(tokenizer)} tokens, the base model embeds {embedded}: "
            "they do not belong together"
        )
    options = options_of(METHODS, manifest["method"])(**manifest["options"])
    return find(METHODS, manifest["method"]).apply(model, options, manifest["objective"])


def _save(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", template: Path, folder: Path
) -> None:
    shutil.rmtree(folder / "trainer", ignore_errors=True)
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    shutil.copy(template, folder / "model")


def _trainable(model: "PreTrainedModel") -> int:
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def _total(model: "PreTrainedModel") -> int:
    return sum(p.numel() for p in model.parameters())


def _circumstances(bf16: bool) -> dict[str, Any]:
    """Return where and with what the model was trained: what else its weights depend on."""
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.processor()
    return {
        "packages": {name: version(name) for name in PACKAGES},
        "hardware": {
            "device": device or platform.machine(),
            "threads": torch.get_num_threads(),
            "bf16": bf16,
        },
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


if __name__ == "__main__":
    run_job(work)
