"""Feature-based tuning: the encoder is frozen, its pooler and new head learn."""

from typing import TYPE_CHECKING

from assets.discovery import Options

if TYPE_CHECKING:
    from transformers import PreTrainedModel

OBJECTIVES = ("classify",)
VERSION = "1"


def apply(model: "PreTrainedModel", options: Options, objective: str) -> "PreTrainedModel":
    """Return the model with everything frozen but pooler and head."""
    encoder = model.base_model
    model.requires_grad_(True)
    encoder.requires_grad_(False)
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler.requires_grad_(True)
    return model
