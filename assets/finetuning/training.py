"""What every objective is given to train, and the settings that all of them share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import PrinterCallback, Trainer, TrainerCallback

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
    labels: list[str] | None = None  # of a classifier
    # Loads the model that a distilling objective learns from, in evaluation mode.
    load_teacher: Callable[[], Any] | None = None
    callbacks: list[TrainerCallback] = field(default_factory=list)


def shared_arguments(
    rows: int, evaluates: bool, settings: dict[str, Any], folder: Path
) -> dict[str, Any]:
    """Return the TrainingArguments of every objective: about 20 log lines a training."""
    batch = settings["per_device_train_batch_size"] * settings["gradient_accumulation_steps"]
    steps = max(settings["max_steps"], 0) or rows / batch * settings["num_train_epochs"]
    ours = (
        "find_learning_rate",
        "dropout",
        "group_by_length",
        "early_stopping_patience",
        "save_steps",
    )
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
    _learn_in_full_precision(trainer.model)
    trainer.train()


def _learn_in_full_precision(model: Any) -> None:
    """Undo TRL's cast of what a 4-bit model learns to bfloat16.

    A small step is lost in bfloat16's 8 bits, and PEFT loads the adapter in float32: the model
    that was loaded would not be the one that was trained.
    """
    if getattr(model, "is_loaded_in_4bit", False):
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.float()
