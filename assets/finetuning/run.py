"""The training job: `python -m assets.finetuning.run job.json`, by Dagster Pipes or alone.

{"output_dir": "…/fine_tuned_model/71ab…", "run_key": "71ab…", "objective": "sft",
 "examples_dir": "…/training_examples/9c1f…", "method": "lora", "method_options": {"lora_r": 8},
 "objective_options": {}, "settings": {"learning_rate": 2e-4, …}, "base_model": "scratch", …}
"""

import json
import platform
import resource
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from assets import processes
from assets.discovery import find
from assets.finetuning.checkpoints import Checkpoints
from assets.finetuning.pairs import METHODS, OBJECTIVES
from assets.finetuning.preparing import prepare
from assets.finetuning.saving import finish_saved, save, weights_hash
from assets.jobs import Say, run_job, write_json

PACKAGES = ("torch", "transformers", "peft", "trl", "accelerate", "datasets")


def work(job: dict[str, Any], folder: Path, say: Say) -> dict[str, Any]:
    """Train what `job` asks for, save the model under `folder/model`, return the manifest."""
    say("loading torch, transformers and the rows")
    from assets.finetuning import device
    from assets.finetuning.levers import row_tokens
    from assets.finetuning.training import train
    from assets.finetuning.watch import Watch

    began = time.monotonic()
    if job["settings"]["find_learning_rate"]:
        job = _with_found_rate(job, folder, say)
    manifest, training = prepare(job, folder, say)
    title = f"{job['objective']} by {job['method']}"
    watch = Watch(say, title, sum(map(row_tokens, training.train)))
    training.callbacks.append(watch)
    total, trainable = _parameters(training.model)
    say(f"training {trainable:,} of {total:,} parameters on {len(training.train)} rows")
    device.begin_peak()
    train(
        find(OBJECTIVES, job["objective"]).trainer(training),
        Checkpoints.beside(folder, job["run_key"], say),
        job["settings"]["early_stopping_patience"],
    )
    manifest["memory"]["measured_peak"] = device.peak()
    if not processes.is_first():
        return {}
    save(training, manifest["model_kind"], Path(job["examples_dir"]), folder)
    finished = finish_saved(manifest, training, Path(job["examples_dir"]), folder, say)
    return {
        **manifest,
        "finished": finished,
        "weights_hash": weights_hash(folder / "model"),
        "parameters": {"total": total, "trainable": trainable},
        "method_findings": _findings(manifest, training.model),
        "history": watch.history,
        "row_ids": {
            split: [row["id"] for row in rows]
            for split, rows in (("train", training.train), ("eval", training.eval))
        },
        "seconds": round(time.monotonic() - began, 1),
        **_circumstances(training.arguments["bf16"]),
    }


def _with_found_rate(job: dict[str, Any], folder: Path, say: Say) -> dict[str, Any]:
    """Return the job with the learning rate that a range test suggests.

    It is kept with the checkpoints, so that a killed training goes on with the rate that it had.
    """
    from assets.finetuning.learning_rate import range_test, suggestion
    from assets.finetuning.training import train

    kept = Checkpoints.beside(folder, job["run_key"], say).folder / "learning_rate.json"
    if kept.exists():
        return _with_rate(job, json.loads(kept.read_text(encoding="utf-8")))
    training, rising = range_test(prepare(job, folder, say)[1])
    say(f"looking for the learning rate in at most {rising.steps} steps")
    train(find(OBJECTIVES, job["objective"]).trainer(training))
    rates = [rising.rate(step) for step in range(rising.steps)]
    found = suggestion(rates, rising.losses)
    say(f"learning_rate {found:g}, at which the loss fell fastest")
    if processes.is_first():
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_json(kept, found)
    return _with_rate(job, found)


def _with_rate(job: dict[str, Any], learning_rate: float) -> dict[str, Any]:
    return {**job, "settings": {**job["settings"], "learning_rate": learning_rate}}


def _findings(manifest: dict[str, Any], model: Any) -> dict[str, Any] | None:
    from assets.loading.models import inner_model

    method = find(METHODS, manifest["method"])
    if not hasattr(method, "findings"):
        return None
    return method.findings(inner_model(model, manifest["model_kind"]))


def _parameters(model: Any) -> tuple[int, int]:
    """Return how many parameters the model has, and how many of them learn."""
    counts = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return sum(n for n, _ in counts), sum(n for n, learns in counts if learns)


def _circumstances(bf16: bool) -> dict[str, Any]:
    """Return where and with what the model was trained: what else its weights depend on."""
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.processor()
    return {
        "packages": {name: version(name) for name in PACKAGES},
        "hardware": {
            "device": device or platform.machine(),
            "threads": torch.get_num_threads(),
            "processes": processes.count(),
            "bf16": bf16,
        },
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


if __name__ == "__main__":
    run_job(work)
