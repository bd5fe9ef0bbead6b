"""From a job's file to a training that is ready to start: rows, tokenizer, base model, method."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.discovery import find, options_of
from assets.finetuning.pairs import METHODS, OBJECTIVES
from assets.jobs import Say
from assets.models import parse_base_model

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from assets.finetuning.training import Row, Training

FROM_THE_JOB = (
    *("run_key", "code_version", "inputs", "objective", "objective_options", "method"),
    *("method_options", "settings", "finishing"),
)


def prepare(job: dict[str, Any], folder: Path, say: Say) -> "tuple[dict[str, Any], Training]":
    """Return what is known of the model before it is trained, and the training, ready to start."""
    from transformers import AutoTokenizer, set_seed

    from assets.finetuning.levers import attend, base_dtype, micro_batched
    from assets.finetuning.preflight import longest
    from assets.finetuning.readiness import require_ready
    from assets.finetuning.training import Training, shared_arguments
    from assets.loading.models import inner_model

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
    attend(inner_model(model, objective.MODEL), longest(learnt))
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
    return {"kind": base.kind, "name": base.name, "revision": base.revision, "path": path}


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


def _teacher(named: str, manifest: dict[str, Any]) -> Any:
    """Return the model that is learnt from: a published `fine_tuned_model`, or a base model.

    A base model as the teacher of a classifier brings its own head and labels.
    """
    from assets.loading.models import load_base, load_tuned

    if (Path(named) / "manifest.json").exists():
        return load_tuned(Path(named))[0]
    base = parse_base_model(named)
    described = {"path": base.location(), "revision": base.revision}
    own = {"base_model": described, "labels": None, "student_layers": None, "quantization": None}
    return load_base({**manifest, **own})


def _teacher_tokenizer(named: str) -> "PreTrainedTokenizerBase":
    from transformers import AutoTokenizer

    if (Path(named) / "manifest.json").exists():
        return AutoTokenizer.from_pretrained(Path(named) / "model")
    base = parse_base_model(named)
    return AutoTokenizer.from_pretrained(base.location(), revision=base.revision)
