"""Fewer casts under bfloat16, with the very same numbers. Heavy.

Autocast keeps the bfloat16 copy of a weight until the forward pass ends, so an accumulated step
makes it once a micro-batch; and PEFT turns an adapter's bfloat16 input into float32, which autocast
turns back.
"""

from typing import Any

import torch
from peft.tuners.tuners_utils import BaseTunerLayer
from transformers import Trainer, TrainerCallback

CASTS_INPUT = "cast_input_dtype_enabled"  # of a layer with an adapter; PEFT's


def cast_less(trainer: Trainer) -> None:
    """Keep copies of weights over a step, and inputs of adapters in bfloat16.

    A model that writes while it learns does so outside of autocast, and needs PEFT's casts.
    """
    if not trainer.args.bf16:
        return
    trainer.add_callback(_KeptForAStep())
    if getattr(trainer, "generation_config", None) is not None:
        return
    model: Any = trainer.model
    for module in model.modules():
        if isinstance(module, BaseTunerLayer):
            setattr(module, CASTS_INPUT, False)


class _KeptForAStep(TrainerCallback):
    """Keeps autocast's copies, which it drops when its outermost block ends, until the step does.

    The block itself is not held open: a backward pass belongs outside.
    """

    def on_step_begin(self, *_: object, **__: object) -> None:
        """Count one block more, before the first micro-batch."""
        torch.clear_autocast_cache()  # of a training in this process that failed within a step
        torch.autocast_increment_nesting()

    def on_pre_optimizer_step(self, *_: object, **__: object) -> None:
        """Count it no more and drop the copies, before the weights change."""
        torch.autocast_decrement_nesting()
        torch.clear_autocast_cache()
