"""Bottleneck adapters (Houlsby et al. 2019): a small network after the feed-forward of each block.

They start as the identity, so that an untrained model is its base.
"""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from assets.discovery import Options as PluginOptions

if TYPE_CHECKING:
    from transformers import PreTrainedModel

VERSION = "1"
KEEPS_THE_BASE = True  # what it learns cannot be merged into the weights


class Options(PluginOptions):
    """The keys of `finetuning:` that belong to this method."""

    # Hidden size over the adapter's width: a higher one learns fewer weights.
    reduction_factor: float = Field(default=16, ge=1)
    non_linearity: Literal["relu", "gelu", "silu"] = "gelu"


def refusal(objective: str, model_kind: str) -> str | None:
    """Return None: it can train every objective."""
    return None


def apply(model: "PreTrainedModel", options: Options, model_kind: str) -> "PreTrainedModel":
    """Return the model with a frozen body, trainable adapters and a trainable new head."""
    from assets.loading.bottleneck import insert
    from assets.loading.layers import new_parameters

    model.requires_grad_(False)
    head = [] if model_kind == "causal" else new_parameters(model)
    adapters = insert(model, options.reduction_factor, options.non_linearity)
    for parameter in [*head, *adapters]:
        parameter.requires_grad_(True)
    return model
