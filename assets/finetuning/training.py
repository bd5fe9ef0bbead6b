"""What every objective is given to train, and how a training speaks of itself while it runs."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import (
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from assets.jobs import Say

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

KEPT = ("loss", "eval_loss", "learning_rate", "grad_norm")  # what the history keeps of a log line


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
    labels: list[str] | None = None  # of a classifier
    # Loads the model that a distilling objective learns from, in evaluation mode.
    load_teacher: Callable[[], Any] | None = None
    callbacks: list[TrainerCallback] = field(default_factory=list)


class Watch(TrainerCallback):
    """Says the loss as it falls and the time that is left; keeps the history for the curve."""

    def __init__(self, say: Say, title: str) -> None:
        self.say = say
        self.title = title
        self.history: list[dict[str, float]] = []
        self.began = 0.0

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: object,
    ) -> None:
        """Start the clock."""
        self.began = time.monotonic()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: object,
    ) -> None:
        """Record and say one line of transformers' log."""
        kept = {name: float(value) for name, value in (logs or {}).items() if name in KEPT}
        if not {"loss", "eval_loss"} & kept.keys():
            return
        self.history.append({"step": state.global_step, **kept})
        seconds = time.monotonic() - self.began
        left = seconds / max(state.global_step, 1) * (state.max_steps - state.global_step)
        losses = ", ".join(f"{k} {v:.3f}" for k, v in kept.items() if k in ("loss", "eval_loss"))
        self.say(
            f"{self.title}: step {state.global_step}/{state.max_steps}, {losses}, {left:.0f} s left"
        )


def shared_arguments(
    rows: int, evaluates: bool, settings: dict[str, Any], folder: Path
) -> dict[str, Any]:
    """Return the TrainingArguments of every objective: about 20 log lines a training."""
    batch = settings["per_device_train_batch_size"] * settings["gradient_accumulation_steps"]
    steps = max(settings["max_steps"], 0) or rows / batch * settings["num_train_epochs"]
    ours = ("dropout", "group_by_length", "early_stopping_patience", "save_steps")
    return {
        **{name: value for name, value in settings.items() if name not in ours},
        "train_sampling_strategy": "group_by_length" if settings["group_by_length"] else "random",
        "bf16": computes_bf16() if settings["bf16"] is None else settings["bf16"],
        "use_cpu": not torch.cuda.is_available(),
        "output_dir": str(folder / "trainer"),
        "save_strategy": "no",
        "eval_strategy": "epoch" if evaluates else "no",
        "per_device_eval_batch_size": 8,
        "logging_steps": max(1, round(steps / 20)),
        "report_to": [],
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
    }


def computes_bf16() -> bool:
    """Return whether the GPU, or the CPU where there is none, multiplies bfloat16 natively."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    features = torch.cpu.get_capabilities()
    return bool(features.get("avx512_bf16") or features.get("amx_bf16"))


def train(trainer: Trainer) -> None:
    """Run the trainer; `Watch` speaks, so transformers' own print of each log line is taken out."""
    trainer.remove_callback(PrinterCallback)
    trainer.train()
