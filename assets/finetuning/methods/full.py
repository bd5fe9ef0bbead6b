"""Full fine-tuning: every weight moves."""

from typing import TYPE_CHECKING

from assets.discovery import Options

if TYPE_CHECKING:
    from transformers import PreTrainedModel

OBJECTIVES = ("sft", "classify")
VERSION = "1"


def apply(model: "PreTrainedModel", options: Options, objective: str) -> "PreTrainedModel":
    """Return the model as it is, all of it trainable."""
    return model.requires_grad_(True)
