"""Spectrum (Hartford et al. 2024): the layers with the most signal in their weights learn.

Of each type of matrix (query, up projection, …) the blocks with the highest signal-to-noise ratio
are trained whole, and the others stay: most of full tuning's quality for less memory. The norms
stay as they are; a new head always learns.
"""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from assets.discovery import Options as PluginOptions

if TYPE_CHECKING:
    from transformers import PreTrainedModel

VERSION = "1"


class Options(PluginOptions):
    """The keys of `finetuning:` that belong to this method."""

    top_percent: float = Field(default=25, gt=0, le=100)  # of the layers of each type; memory grows
    # The embeddings and a causal model's head learn too, as the authors have it; off, they stay:
    # of a small model they are most of the weights.
    train_embeddings: bool = False


def refusal(objective: str, model_kind: str) -> str | None:
    """Return None: it can train every objective."""
    return None


def apply(model: "PreTrainedModel", options: Options, model_kind: str) -> "PreTrainedModel":
    """Return the model with its best layers and its new head trainable."""
    from assets.finetuning.signal_to_noise import table_of_layers
    from assets.loading.layers import new_parameters

    model.requires_grad_(False)
    table = table_of_layers(model, options.top_percent)
    for row in table:
        model.get_submodule(row["layer"]).requires_grad_(row["trained"])
    if model_kind != "causal":
        for parameter in new_parameters(model):
            parameter.requires_grad_(True)
    if options.train_embeddings:
        for module in (model.get_input_embeddings(), model.get_output_embeddings()):
            if module is not None:
                module.requires_grad_(True)
    model.spectrum_table = table  # type: ignore[assignment]
    return model


def findings(model: "PreTrainedModel") -> dict[str, Any]:
    """Return the table of layers with their ratios."""
    return {"layers": model.spectrum_table}
