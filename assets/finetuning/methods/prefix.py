"""Prefix tuning (Li and Liang 2021): learnt keys and values before the text, in every layer.

Few weights learn, and every attention looks at them; it wants a higher learning rate than LoRA.
"""

from typing import TYPE_CHECKING

from pydantic import Field

from assets.discovery import Options as PluginOptions
from assets.finetuning.low_rank import TASK_TYPES

if TYPE_CHECKING:
    from transformers import PreTrainedModel

VERSION = "1"
KEEPS_THE_BASE = True  # what it learns cannot be merged into the weights
# The prefix is handed over in the cache of keys and values, which recomputed activations drop.
GRADIENT_CHECKPOINTING = False


class Options(PluginOptions):
    """The keys of `finetuning:` that belong to this method."""

    num_virtual_tokens: int = Field(default=16, ge=1)  # the prefix's length; it costs context
    prefix_projection: bool = False  # make the prefix by a small network: steadier, more weights


def refusal(objective: str, model_kind: str) -> str | None:
    """Return None: causal models and encoders alike take a prefix."""
    return None


def apply(model: "PreTrainedModel", options: Options, model_kind: str) -> "PreTrainedModel":
    """Return the model frozen, with a trainable prefix; a new head stays trainable."""
    from peft import PrefixTuningConfig, get_peft_model

    config = PrefixTuningConfig(
        num_virtual_tokens=options.num_virtual_tokens,
        prefix_projection=options.prefix_projection,
        encoder_hidden_size=model.config.hidden_size if options.prefix_projection else None,  # type: ignore[arg-type]
        task_type=TASK_TYPES[model_kind],
    )
    return get_peft_model(model, config)  # type: ignore[return-value]
