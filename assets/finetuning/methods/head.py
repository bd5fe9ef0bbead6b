"""Feature-based tuning: the encoder is frozen, its pooler and new head learn."""

from typing import TYPE_CHECKING

from assets.discovery import Options

if TYPE_CHECKING:
    from transformers import PreTrainedModel

VERSION = "1"


def refusal(objective: str, model_kind: str) -> str | None:
    """Return why a model without a new head cannot be trained so."""
    if model_kind in ("sequence", "score", "tokens"):
        return None
    return f"a model of kind {model_kind} has no new head to learn"


def apply(model: "PreTrainedModel", options: Options, model_kind: str) -> "PreTrainedModel":
    """Return the model with everything frozen but pooler and head."""
    encoder = model.base_model
    model.requires_grad_(True)
    encoder.requires_grad_(False)
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler.requires_grad_(True)
    return model
