"""Models of one architecture merged by their weights; imported inside jobs only: it loads torch.

Models that were tuned from one base lie in one valley of the loss, so that the average of their
weights is a model too (model soups, Wortsman et al. 2022). Adapters of one base likewise.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import nn
from transformers import PreTrainedModel

AVERAGE = "average"  # the name of the adapter that `average_adapters` makes


def shares(weights: Sequence[float] | None, count: int) -> list[float]:
    """Return the share of each of `count` models; they sum to 1, and are equal without `weights`.

    Raises:
        ValueError: another number of weights, a negative one, or all of them zero.
    """
    given = [1.0] * count if weights is None else list(weights)
    if count < 2 or len(given) != count:
        raise ValueError(f"{len(given)} weights for {count} models: give two models or more, and "
                         "one weight for each")  # fmt: skip
    if min(given) < 0 or not sum(given):
        raise ValueError(f"weights {given}: give none below zero, and one above it")
    return [weight / sum(given) for weight in given]


def average_models(
    models: Sequence[PreTrainedModel], weights: Sequence[float] | None = None
) -> PreTrainedModel:
    """Return the first model with the weighted average of all of them in the place of its weights.

    Raises:
        ValueError: two of them differ in a weight's name or shape, or the weights are wrong.
    """
    parts = shares(weights, len(models))
    states = [model.state_dict() for model in models]
    for state in states[1:]:
        _check_same_shapes(states[0], state)
    with torch.no_grad():
        for name, target in states[0].items():
            if target.is_floating_point():
                total = sum(p * s[name].float() for p, s in zip(parts, states, strict=True))
                target.copy_(total)  # type: ignore[arg-type]
    return models[0]


def average_adapters(
    base: PreTrainedModel, adapters: Mapping[str, Path], weights: Sequence[float] | None = None
) -> nn.Module:
    """Return the base with several LoRA adapters and their average, which is the active one.

    The average is exact: B·A of it is the weighted sum of the adapters' own, and its rank the sum
    of their ranks. `set_adapter(name)` makes one of them active again.

    Args:
        base: the model that all of them were trained on.
        adapters: the folder of each by the name that it shall have.
        weights: the share of each in the average; None: equal shares.
    """
    from peft import PeftModel

    parts = shares(weights, len(adapters))
    (first, folder), *others = adapters.items()
    model = PeftModel.from_pretrained(base, str(folder), adapter_name=first)
    for name, folder in others:
        model.load_adapter(str(folder), adapter_name=name)
    model.add_weighted_adapter(list(adapters), parts, AVERAGE, combination_type="cat")
    model.set_adapter(AVERAGE)
    return model.eval()


def _check_same_shapes(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> None:
    for name in sorted(one.keys() | other.keys()):
        shapes = [tuple(s[name].shape) if name in s else "none" for s in (one, other)]
        if shapes[0] != shapes[1]:
            raise ValueError(
                f"models of two architectures cannot be merged: {name} has shape {shapes[0]} in "
                f"one and {shapes[1]} in the other"
            )
