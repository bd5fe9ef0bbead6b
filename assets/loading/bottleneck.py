"""Bottleneck adapters (Houlsby et al. 2019; after the feed-forward only, Pfeiffer et al. 2021).

h + up(f(down(h))) after the last matrix of every block. `up` starts at zero, so that a model with
fresh adapters gives the very outputs of its base. Saved are the adapters and whatever else learnt
(a new head) in `bottleneck.safetensors`, and beside it `bottleneck.json`:

    {"reduction_factor": 16, "non_linearity": "gelu"}
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import PreTrainedModel
from transformers.activations import ACT2FN

from assets.loading.layers import feed_forward_outputs

SETTINGS = "bottleneck.json"
WEIGHTS = "bottleneck.safetensors"


class Bottleneck(nn.Module):
    """Down, a non-linearity, up, and around it the residual; in float32 whatever the base is."""

    def __init__(self, hidden_size: int, reduction_factor: float, non_linearity: str) -> None:
        super().__init__()
        width = max(1, round(hidden_size / reduction_factor))
        self.down = nn.Linear(hidden_size, width)
        self.non_linearity = ACT2FN[non_linearity]
        self.up = nn.Linear(width, hidden_size)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return what the block's feed-forward gives, adapted; of the same dtype."""
        change = self.up(self.non_linearity(self.down(hidden.to(self.down.weight.dtype))))
        return hidden + change.to(hidden.dtype)


def insert(
    model: PreTrainedModel, reduction_factor: float, non_linearity: str
) -> list[nn.Parameter]:
    """Put a fresh adapter into every block; return the adapters' parameters.

    The names of the base's own parameters stay as they are.
    """
    adapters = []
    for matrix in feed_forward_outputs(model).values():
        adapter = Bottleneck(matrix.out_features, reduction_factor, non_linearity)
        matrix.bottleneck = adapter.to(matrix.weight.device)
        matrix.register_forward_hook(_adapt)
        adapters.append(adapter)
    model.bottleneck = {"reduction_factor": reduction_factor, "non_linearity": non_linearity}  # type: ignore[assignment]
    return [parameter for adapter in adapters for parameter in adapter.parameters()]


def _adapt(matrix: nn.Module, inputs: object, output: torch.Tensor) -> torch.Tensor:
    return matrix.bottleneck(output)  # type: ignore[operator]


def has_bottlenecks(model: nn.Module) -> bool:
    """Return whether adapters were inserted into this model."""
    return hasattr(model, "bottleneck")


def save(model: PreTrainedModel, folder: Path) -> None:
    """Write the adapters and all else that is trainable, and how to build them again."""
    folder.mkdir(parents=True, exist_ok=True)
    learnt = {
        name: parameter.detach().contiguous()
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }
    save_file(learnt, folder / WEIGHTS)
    settings = json.dumps(model.bottleneck, indent=2, sort_keys=True)
    (folder / SETTINGS).write_text(settings, encoding="utf-8")


def load(model: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """Return the base with the adapters (and the head) that were saved in `folder`.

    Raises:
        ValueError: the file holds a weight that this model has not, or lacks one of its adapters.
    """
    learnt = load_file(folder / WEIGHTS)
    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    insert(model, settings["reduction_factor"], settings["non_linearity"])
    missing, unexpected = model.load_state_dict(learnt, strict=False)
    absent = [name for name in missing if ".bottleneck." in name]
    if absent or unexpected:
        raise ValueError(
            f"{folder / WEIGHTS} is not of this base: it lacks {absent[:3]} and brings "
            f"{unexpected[:3]}; load it on the base_model that its manifest names"
        )
    return model
