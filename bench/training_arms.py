"""The trainers that `bench.training` compares, each in a process of its own.

A peer is a library's trainer as it comes, see training_peers.py. `ours` is what a pipeline runs,
from its job file.
"""

import resource
import time
import zlib
from collections.abc import Mapping
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from bench.training_inputs import Inputs

BATCH = 8  # the default of transformers
_ALL = ("fewer casts", "eager attention", "quick dropout")
LEVERS = {
    "sft": ("bfloat16 base", "no checkpointing", "micro-batches", "labelled positions", *_ALL),
    "classify": ("bfloat16", "micro-batches", *_ALL[1:]),  # with fewer casts: there are none before
    "embed": ("bfloat16", "tokens made before", *_ALL[1:]),
}
METHODS = {"sft": "lora", "classify": "full", "embed": "full"}
LEARNING = {
    "learning_rate": 2e-4,
    "lr_scheduler_type": "constant",
    "warmup_steps": 0,
    "max_grad_norm": 1e9,  # nothing is cut, so that gradients can be compared
    "seed": 0,
}
GATE_BATCH = 4


@dataclass(frozen=True)
class Arm:
    """Which trainer, over which rows, and how."""

    objective: str
    inputs: Inputs
    levers: tuple[str, ...] | None  # turned on in the peer; None: ours, as shipped
    full_precision: bool = False  # float32 throughout, no dropout: the gate's
    method: str = ""  # the one of METHODS, unless named
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the trainer's arguments


@dataclass(frozen=True)
class Round:
    """What some steps took."""

    seconds: float
    cpu_seconds: float
    tokens: int  # of the rows; padding is none


_held: dict[str, Any] = {}  # the trainer of this process


def start(arm: Arm) -> None:
    """Make the trainer of this process."""
    import torch
    from transformers.utils import logging

    from bench.training_peers import peer

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    levers = set(LEVERS[arm.objective] if arm.levers is None else arm.levers)
    trainer = _ours(arm) if arm.levers is None else peer(arm, levers)
    for module in trainer.model.modules() if arm.full_precision else ():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    for name, parameter in trainer.model.named_parameters():
        if "lora_" in name or name.startswith("classifier"):  # new ones: the same in every arm
            torch.manual_seed(zlib.crc32(name.encode()))
            parameter.data = torch.randn(parameter.shape).to(parameter) * 0.02
    _held.update(arm=arm, trainer=trainer, dropout="quick dropout" in levers)


def run(steps: int) -> Round:
    """Train for so many steps from the first row on."""
    from assets.finetuning.dropout import quick_dropout

    arm, trainer = _held["arm"], _held["trainer"]
    trainer.args.max_steps = steps
    batch = GATE_BATCH if arm.full_precision else BATCH
    rows = arm.inputs.read()[: steps * batch]
    seen = getattr(trainer, "_total_train_tokens", 0)  # TRL's count; a packed step holds more rows
    began, cpu_began = time.perf_counter(), time.process_time()
    with (
        Path("/dev/null").open("w") as nowhere,
        redirect_stdout(nowhere),
        quick_dropout() if _held["dropout"] else nullcontext(),
    ):
        trainer.train()
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    counted = getattr(trainer, "_total_train_tokens", 0) - seen
    return Round(seconds, cpu_seconds, counted or sum(map(_tokens, rows)))


def learnt(steps: int) -> tuple[dict[str, Any], list[float]]:
    """Return the gradients of the first step by parameter, and the loss of every step."""
    from transformers import TrainerCallback

    gradients: dict[str, Any] = {}

    class Keep(TrainerCallback):
        def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            for name, parameter in trainer.model.named_parameters():
                if parameter.grad is not None:
                    gradients.setdefault(name, parameter.grad.clone().numpy())

    trainer = _held["trainer"]
    trainer.add_callback(Keep())
    run(steps)
    return gradients, [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def gigabytes() -> float:
    """Return the most memory that this process held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def gpu_gibibytes() -> float:
    """Return the most memory of the GPU that this process held."""
    import torch

    return torch.cuda.max_memory_allocated() / 2**30


def matrices() -> tuple[int, int]:
    """Return how many weights multiply a token, and how many of them learn."""
    model = _held["trainer"].model
    tied = model.config.tie_word_embeddings
    embedded = 0 if tied else model.get_input_embeddings().weight.numel()
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return sum(n for n, _ in sizes) - embedded, sum(n for n, learns in sizes if learns)


def _tokens(row: Mapping[str, Any]) -> int:
    ids = row["input_ids"]
    return len(ids) if isinstance(ids[0], int) else sum(map(len, ids))


def _ours(arm: Arm) -> Any:
    from assets.discovery import find
    from assets.finetuning.config import FinetuningConfig
    from assets.finetuning.pairs import OBJECTIVES
    from assets.finetuning.preparing import prepare
    from assets.finetuning.training import use_levers

    section = {
        "objective": arm.objective,
        "method": arm.method or METHODS[arm.objective],
        "base_model": arm.inputs.base,
        "per_device_train_batch_size": GATE_BATCH if arm.full_precision else BATCH,
        "bf16": False if arm.full_precision else None,
        **LEARNING,
        **arm.settings,
    }
    config = FinetuningConfig(**section)  # type: ignore[arg-type]
    job = {
        **dict.fromkeys(("run_key", "code_version", "inputs", "route"), ""),
        "route": None,
        "examples_dir": arm.inputs.examples,
        "objective": arm.objective,
        "objective_options": config.options("objective").model_dump(mode="json"),
        "method": config.method,
        "method_options": config.options("method").model_dump(mode="json"),
        "base_model": config.base_model,
        "settings": config.training_arguments(),
        "finishing": config.finishing(),
    }
    _, training = prepare(job, Path(mkdtemp()), lambda line: None)
    training.arguments |= shared()
    trainer = find(OBJECTIVES, arm.objective).trainer(training)
    use_levers(trainer)
    return trainer


def shared() -> dict[str, Any]:
    """Return what all arms have alike and what says nothing of speed."""
    return {
        "train_sampling_strategy": "sequential",
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
        "max_steps": 1,
    }
