"""What every objective is given to train, and the settings that all of them share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import PrinterCallback, Trainer, TrainerCallback

from assets import processes
from assets.finetuning.casting import cast_less
from assets.finetuning.checkpoints import Checkpoints
from assets.finetuning.dropout import quick_dropout
from assets.finetuning.interruption import heeding_sigterm
from assets.finetuning.levers import computes_bf16
from assets.finetuning.order import keep_order
from assets.finetuning.resuming import EarlyStopping, train_on

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


Row = dict[str, Any]  # of training_examples


@dataclass
class Training:
    """One training, ready to start: what an objective makes its trainer of."""

    model: Any  # of the kind that the objective names, with the method applied
    tokenizer: "PreTrainedTokenizerBase"
    train: list[Row]
    eval: list[Row]  # empty: nothing is evaluated while it trains
    arguments: dict[str, Any]  # of transformers' TrainingArguments
    options: Any  # the objective's own Options
    max_length: int  # tokens of a row, as templating cut it
    labels: list[str] | None = None  # of a classifier
    # Loads the model that a distilling objective learns from, in evaluation mode.
    load_teacher: Callable[[], Any] | None = None
    load_teacher_tokenizer: "Callable[[], PreTrainedTokenizerBase] | None" = None
    callbacks: list[TrainerCallback] = field(default_factory=list)


def shared_arguments(
    rows: int, evaluates: bool, settings: dict[str, Any], folder: Path
) -> dict[str, Any]:
    """Return the TrainingArguments of every objective: about 20 log lines a training."""
    together = processes.count() * settings["gradient_accumulation_steps"]
    batch = settings["per_device_train_batch_size"] * together
    steps = max(settings["max_steps"], 0) or rows / batch * settings["num_train_epochs"]
    ours = ("find_learning_rate", "dropout", "group_by_length", "early_stopping_patience")
    ours += ("micro_batch_size",)
    return {
        **{name: value for name, value in settings.items() if name not in ours},
        "train_sampling_strategy": "group_by_length" if settings["group_by_length"] else "random",
        "bf16": computes_bf16() if settings["bf16"] is None else settings["bf16"],
        "use_cpu": not torch.cuda.is_available(),
        "output_dir": str(folder / "trainer"),
        **_saving(settings["early_stopping_patience"], evaluates),
        "eval_strategy": "epoch" if evaluates else "no",
        "per_device_eval_batch_size": settings["micro_batch_size"] or 8,
        "logging_steps": max(1, round(steps / 20)),
        "report_to": [],
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
    }


def _saving(early_stopping_patience: int | None, evaluates: bool) -> dict[str, Any]:
    """Return when transformers saves; every `save_steps` our own `Interruptible` asks it to."""
    if early_stopping_patience is None:
        return {"save_strategy": "no"}
    if not evaluates:
        raise ValueError(
            f"early_stopping_patience {early_stopping_patience} needs rows of the split eval, and "
            "there are none: leave it out, or bring more groups (threads, authors) of documents"
        )
    return {
        "save_strategy": "epoch",  # each evaluated one, since it may be the best
        "metric_for_best_model": "eval_loss",
        "greater_is_better": False,
    }


def train(
    trainer: Trainer, checkpoints: Checkpoints | None = None, patience: int | None = None
) -> None:
    """Run the trainer; from and to `checkpoints` where there are any, as every long one should.

    `Watch` speaks, so transformers' own print of each log line is taken out. `patience` is
    early_stopping_patience. Raises Stopped when SIGTERM has ended it.
    """
    trainer.remove_callback(PrinterCallback)
    use_levers(trainer)
    if checkpoints is None:
        with quick_dropout():
            trainer.train()
        return
    if patience is not None:
        trainer.add_callback(EarlyStopping(patience))
    with quick_dropout(), heeding_sigterm() as stop:
        train_on(trainer, checkpoints, stop)


def use_levers(trainer: Trainer) -> None:
    """Set what makes a trainer fast and exact, whichever objective made it; see levers.py."""
    _learn_in_full_precision(trainer.model)
    keep_order(trainer)
    cast_less(trainer)


def _learn_in_full_precision(model: Any) -> None:
    """Undo TRL's cast of what a 4-bit model learns to bfloat16.

    A small step is lost in bfloat16's 8 bits, and PEFT loads the adapter in float32: the model
    that was loaded would not be the one that was trained.
    """
    if getattr(model, "is_loaded_in_4bit", False):
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.float()
