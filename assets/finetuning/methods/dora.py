"""Weight-decomposed low-rank adaptation (Liu et al. 2024): LoRA, and a learnt length per column.

Nearer to full tuning at low ranks than LoRA, and slower to train; merged it costs nothing.
"""

from typing import TYPE_CHECKING

from assets.finetuning.low_rank import LowRankOptions, adapted

if TYPE_CHECKING:
    from transformers import PreTrainedModel

VERSION = "1"
MERGES = True
BASE_IS_FROZEN = True  # it may be kept in bfloat16


class Options(LowRankOptions):
    """The keys of `finetuning:` that belong to this method."""


def refusal(objective: str, model_kind: str) -> str | None:
    """Return None: it trains every objective."""
    return None


def apply(model: "PreTrainedModel", options: Options, model_kind: str) -> "PreTrainedModel":
    """Return the model with frozen weights and trainable adapters; a new head stays trainable."""
    return adapted(model, options, model_kind, use_dora=True)
