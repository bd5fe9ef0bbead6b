"""Full fine-tuning: every weight moves."""

from typing import TYPE_CHECKING

from assets.discovery import Options

if TYPE_CHECKING:
    from transformers import PreTrainedModel

VERSION = "1"


def refusal(objective: str, model_kind: str) -> str | None:
    """Return None: it trains every objective."""
    return None


def apply(model: "PreTrainedModel", options: Options, model_kind: str) -> "PreTrainedModel":
    """Return the model as it is, all of it trainable."""
    return model.requires_grad_(True)
