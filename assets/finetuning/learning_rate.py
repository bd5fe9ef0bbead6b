"""The learning rate range test (Smith 2017): a short training whose rate rises at every step.

The loss falls faster and faster, then rises: the rate at which it fell fastest is a good one to
train with. The model that it was tried on is thrown away.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

if TYPE_CHECKING:
    from assets.finetuning.training import Training

LOWEST, HIGHEST = 1e-6, 1.0
STEPS = 60
DIVERGED = 2.0  # a loss this many times the lowest one: higher rates tell nothing more
SMOOTHING = 0.7  # weight of the losses before, in the moving average that is read


@dataclass
class RisingRate(TrainerCallback):
    """Sets the rate of every step, and reads the loss that it led to."""

    steps: int = STEPS
    losses: list[float] = field(default_factory=list)

    def rate(self, step: int) -> float:
        """Return the rate of a step, from LOWEST to HIGHEST in equal factors."""
        return LOWEST * (HIGHEST / LOWEST) ** (step / max(self.steps - 1, 1))

    def on_step_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: object,
    ) -> None:
        """Set the rate before the step is taken."""
        for group in kwargs["optimizer"].param_groups:  # type: ignore[attr-defined]
            group["lr"] = self.rate(state.global_step)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: object,
    ) -> None:
        """Keep the loss; end where it has grown past use."""
        if "loss" not in (logs or {}):
            return
        self.losses.append(float((logs or {})["loss"]))
        worst = DIVERGED * abs(min(self.losses)) + min(self.losses)
        if not math.isfinite(self.losses[-1]) or self.losses[-1] > worst:
            control.should_training_stop = True


def range_test(training: "Training") -> "tuple[Training, RisingRate]":
    """Return the training as a range test, and the callback that reads it."""
    rising = RisingRate()
    arguments = training.arguments | {
        "max_steps": rising.steps,
        "lr_scheduler_type": "constant",
        "warmup_steps": 0,
        "logging_steps": 1,
        "eval_strategy": "no",
        "save_strategy": "no",
        "load_best_model_at_end": False,
    }
    return replace(training, arguments=arguments, eval=[], callbacks=[rising]), rising


def suggestion(rates: Sequence[float], losses: Sequence[float]) -> float:
    """Return the rate at which the smoothed loss fell fastest, three significant digits.

    Raises ValueError where the loss never fell.
    """
    smooth = _smoothed([loss for loss in losses if math.isfinite(loss)])
    falls = [smooth[i] - smooth[i + 1] for i in range(len(smooth) - 1)]
    if not falls or max(falls) <= 0:
        raise ValueError(
            f"the loss fell at none of {len(losses)} learning rates from {LOWEST:g} to "
            f"{rates[max(len(losses) - 1, 0)]:g}: set learning_rate instead of find_learning_rate"
        )
    return float(f"{rates[falls.index(max(falls)) + 1]:.3g}")


def _smoothed(losses: Sequence[float]) -> list[float]:
    found: list[float] = []
    for loss in losses:
        found.append(SMOOTHING * found[-1] + (1 - SMOOTHING) * loss if found else loss)
    return found
