"""Feature-based tuning: the body is frozen, its pooler and the new head learn."""

from typing import TYPE_CHECKING

from assets.discovery import Options

if TYPE_CHECKING:
    from transformers import PreTrainedModel

VERSION = "2"


def refusal(objective: str, model_kind: str) -> str | None:
    """Return why a model without a new head has nothing to learn here; None where it has one."""
    if model_kind == "causal":
        return "a causal model has no new head to learn"
    if model_kind == "embedding":
        return "an embedding model has no head to learn"
    return None


def apply(model: "PreTrainedModel", options: Options, model_kind: str) -> "PreTrainedModel":
    """Return the model with everything frozen but pooler and head."""
    from assets.loading.layers import new_parameters

    model.requires_grad_(False)
    for parameter in new_parameters(model):
        parameter.requires_grad_(True)
    return model
