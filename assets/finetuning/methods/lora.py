"""Low-rank adaptation (Hu et al. 2021): W + B·A·alpha/r, where only A and B learn, by PEFT."""

from typing import TYPE_CHECKING

from assets.finetuning.low_rank import LowRankOptions, adapted

if TYPE_CHECKING:
    from transformers import PreTrainedModel

VERSION = "2"
MERGES = True
AVERAGES = True  # several adapters on one base have an average
BASE_IS_FROZEN = True  # it may be kept in bfloat16


class Options(LowRankOptions):
    """The keys of `finetuning:` that belong to this method."""


def refusal(objective: str, model_kind: str) -> str | None:
    """Return None: it trains every objective."""
    return None


def apply(model: "PreTrainedModel", options: Options, model_kind: str) -> "PreTrainedModel":
    """Return the model with frozen weights and trainable adapters; a new head stays trainable."""
    return adapted(model, options, model_kind)
