"""The training job: `python -m assets.finetuning.run job.json`, by Dagster Pipes or alone.

{"output_dir": "…/fine_tuned_model/71ab…", "run_key": "71ab…", "objective": "sft",
 "examples_dir": "…/training_examples/9c1f…", "method": "lora", "method_options": {"lora_r": 8},
 "objective_options": {}, "settings": {"learning_rate": 2e-4, …}, "base_model": "scratch", …}
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

from assets import processes
from assets.discovery import find, options_of
from assets.finetuning.checkpoints import Checkpoints
from assets.finetuning.pairs import METHODS, OBJECTIVES
from assets.jobs import Say, run_job, write_json
from assets.models import parse_base_model

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from assets.finetuning.training import Row, Training

FROM_THE_JOB = (
    *("run_key", "code_version", "inputs", "objective", "objective_options", "method"),
    *("method_options", "settings", "finishing"),
)
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
    finished = _finish(manifest, training, Path(job["examples_dir"]), folder, say)
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


def prepare(job: dict[str, Any], folder: Path, say: Say) -> "tuple[dict[str, Any], Training]":
    """Return what is known of the model before it is trained, and the training, ready to start."""
    from transformers import AutoTokenizer, set_seed

    from assets.finetuning.levers import attend, base_dtype, micro_batched
    from assets.finetuning.preflight import longest
    from assets.finetuning.readiness import require_ready
    from assets.finetuning.training import Training, shared_arguments

    examples, objective = Path(job["examples_dir"]), find(OBJECTIVES, job["objective"])
    template = json.loads((examples / "template.json").read_text(encoding="utf-8"))
    learnt, watched = _rows(examples, "train"), _rows(examples, "eval")
    tokenizer = AutoTokenizer.from_pretrained(examples / "tokenizer")
    if objective.MODEL == "embedding":
        tokenizer.model_max_length = template["max_length"]  # the model cuts its texts itself
    base = _base(job, tokenizer, learnt, say)
    learnt, watched = (_of_the_route(rows, job.get("route")) for rows in (learnt, watched))
    manifest = {
        **{key: job[key] for key in FROM_THE_JOB},
        "seed": job["settings"]["seed"],
        "examples": template["kind"],
        "model_kind": objective.MODEL,
        "labels": template["labels"],
        "student_layers": job["objective_options"].get("student_layers"),
        "template_hash": template["template_hash"],
        "quantization": _quantization(job),
        "dtype": base_dtype(job["settings"], objective, find(METHODS, job["method"])),
        "base_model": base,
    }
    teacher = job.get("teacher_model")
    ready = require_ready(manifest, learnt, watched, tokenizer, folder, teacher, say)
    manifest["memory"] = ready.figures()
    model = _model(manifest, tokenizer)
    attend(model, objective, longest(learnt))
    set_seed(manifest["seed"])
    settings = micro_batched(job["settings"], objective, learnt)
    training = Training(
        model=model,
        tokenizer=tokenizer,
        train=learnt,
        eval=watched,
        arguments=shared_arguments(len(learnt), bool(watched), settings, folder),
        options=options_of(OBJECTIVES, job["objective"])(**job["objective_options"]),
        max_length=template["max_length"],
        labels=template["labels"],
        load_teacher=(lambda: _teacher(teacher, manifest)) if teacher else None,
        load_teacher_tokenizer=(lambda: _teacher_tokenizer(teacher)) if teacher else None,
    )
    return manifest, training


def save(training: "Training", model_kind: str, examples: Path, folder: Path) -> None:
    """Write the trained weights, or the adapter, with tokenizer and template to `folder/model`."""
    from assets.loading.saving import save_model

    shutil.rmtree(folder / "trainer", ignore_errors=True)
    save_model(training.model, model_kind, folder / "model")
    _save_beside(training, examples, folder)


def _save_beside(training: "Training", examples: Path, folder: Path) -> None:
    training.tokenizer.save_pretrained(folder / "model")
    shutil.copy(examples / "template.json", folder / "model")


def _finish(
    manifest: dict[str, Any], training: "Training", examples: Path, folder: Path, say: Say
) -> dict[str, Any] | None:
    """Merge or quantise the saved model where the job asks for it; return the report on it."""
    asked = manifest["finishing"]
    if not asked["merge_adapter"] and not asked["quantise"]:
        return None
    from assets.finetuning.finishing import finish
    from assets.loading.models import load_weights
    from assets.loading.saving import save_model

    kind = manifest["model_kind"]
    tuned = load_weights(manifest, folder / "model").to(training.model.device)
    rows = training.eval or training.train
    model, report = finish(tuned, kind, rows, asked["merge_adapter"], asked["quantise"], say)
    shutil.rmtree(folder / "model")
    save_model(model, kind, folder / "model")
    _save_beside(training, examples, folder)
    return report


def weights_hash(folder: Path) -> str:
    """Return 16 hex digits of SHA-256 over the safetensors files below a folder, names included."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.safetensors")):
        digest.update(path.relative_to(folder).as_posix().encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:16]


def _rows(examples: Path, split: str) -> "list[Row]":
    import pyarrow.parquet as pq

    rows = pq.read_table(examples / "rows.parquet", filters=[("split", "=", split)])
    return rows.to_pylist()


def _of_the_route(rows: "list[Row]", route: str | None) -> "list[Row]":
    """Return the rows that one of several adapters learns from; all of them without a route."""
    return rows if route is None else [row for row in rows if row["route"] == route]


def _base(
    job: dict[str, Any], tokenizer: "PreTrainedTokenizerBase", train: "list[Row]", say: Say
) -> dict[str, Any]:
    base = parse_base_model(job["base_model"])
    if base.kind == "scratch":
        from assets.finetuning.scratch import build_scratch

        path = str(build_scratch(job, tokenizer, train, say))
    else:
        path = base.location()
    return {"kind": base.kind, "name": base.name, "revision": base.revision or "main", "path": path}


def _quantization(job: dict[str, Any]) -> dict[str, Any] | None:
    """Return how the method wants the base's weights quantised, None for as they are."""
    method = find(METHODS, job["method"])
    if not hasattr(method, "quantization"):
        return None
    return method.quantization(_method_options(job))


def _model(manifest: dict[str, Any], tokenizer: "PreTrainedTokenizerBase") -> Any:
    from assets.loading.models import inner_model, load_base, reading_with, with_inner_model

    kind = manifest["model_kind"]
    model = reading_with(load_base(manifest), kind, tokenizer).train()
    inner = inner_model(model, kind)
    if inner.config.pad_token_id is None:
        inner.config.pad_token_id = tokenizer.pad_token_id
    _set_dropout(inner, manifest["settings"]["dropout"])
    method = find(METHODS, manifest["method"])
    return with_inner_model(model, kind, method.apply(inner, _method_options(manifest), kind))


def _set_dropout(model: Any, dropout: float | None) -> None:
    """Set the probability of every dropout of the base model; None leaves them as they are."""
    import torch

    if dropout is None:
        return
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = dropout
        elif hasattr(module, "attention_dropout"):  # Llama's is a number, applied by a function
            module.attention_dropout = dropout


def _method_options(job: dict[str, Any]) -> Any:
    return options_of(METHODS, job["method"])(**job["method_options"])


def _findings(manifest: dict[str, Any], model: Any) -> dict[str, Any] | None:
    from assets.loading.models import inner_model

    method = find(METHODS, manifest["method"])
    if not hasattr(method, "findings"):
        return None
    return method.findings(inner_model(model, manifest["model_kind"]))


def _teacher(named: str, manifest: dict[str, Any]) -> Any:
    """Return the model that is learnt from: a published `fine_tuned_model`, or a base model.

    A base model as the teacher of a classifier brings its own head and labels.
    """
    from assets.loading.models import load_base, load_tuned

    if (Path(named) / "manifest.json").exists():
        return load_tuned(Path(named))[0]
    base = parse_base_model(named)
    described = {"path": base.location(), "revision": base.revision or "main"}
    own = {"base_model": described, "labels": None, "student_layers": None, "quantization": None}
    return load_base({**manifest, **own})


def _teacher_tokenizer(named: str) -> "PreTrainedTokenizerBase":
    from transformers import AutoTokenizer

    if (Path(named) / "manifest.json").exists():
        return AutoTokenizer.from_pretrained(Path(named) / "model")
    base = parse_base_model(named)
    return AutoTokenizer.from_pretrained(base.location(), revision=base.revision or "main")


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
