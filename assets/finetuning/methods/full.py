"""Full fine-tuning: every weight moves."""

from typing import TYPE_CHECKING

from assets.discovery import Options

if TYPE_CHECKING:
    from transformers import PreTrainedModel

VERSION = "2"


def refusal(objective: str, model_kind: str) -> str | None:
    """Return None: it can train every objective."""
    return None


def apply(model: "PreTrainedModel", options: Options, model_kind: str) -> "PreTrainedModel":
    """Return the model with all of it trainable that the loss depends on."""
    from assets.loading.layers import pooler

    model.requires_grad_(True)
    # sentence-transformers pools by itself: the encoder's own pooler is computed and not used
    if model_kind == "embedding" and (unused := pooler(model)) is not None:
        unused.requires_grad_(False)
    return model
