"""Losses of encoders over all rows of an accumulated batch; heavy, imported in training jobs only.

The heads of BERT and its kin return the mean of their own micro-batch, and transformers' Trainer
takes it for a share of the accumulated batch: with four micro-batches the gradient comes out four
times too long. A loss that is told how many labels the whole batch has is right for every model.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

# What transformers' Trainer takes: outputs, labels, and the labels of the accumulated batch.
Loss = Callable[..., torch.Tensor]


def cross_entropy(label_smoothing: float) -> Loss:
    """Return the mean over all labels but -100; a row or a token has one class."""

    def loss(
        outputs: Any, labels: torch.Tensor, num_items_in_batch: torch.Tensor | int | None = None
    ) -> torch.Tensor:
        logits = outputs.logits.float()
        return functional.cross_entropy(
            logits.view(-1, logits.shape[-1]),
            labels.view(-1),
            reduction="mean" if num_items_in_batch is None else "sum",
            label_smoothing=label_smoothing,
        ) / (1 if num_items_in_batch is None else num_items_in_batch)

    return loss


def binary_cross_entropy(label_smoothing: float) -> Loss:
    """Return the mean over all rows; a row has one score, and its label is 1 or 0."""

    def loss(
        outputs: Any, labels: torch.Tensor, num_items_in_batch: torch.Tensor | int | None = None
    ) -> torch.Tensor:
        wanted = labels.float() * (1 - label_smoothing) + label_smoothing / 2
        return functional.binary_cross_entropy_with_logits(
            outputs.logits.float().view(-1),
            wanted.view(-1),
            reduction="mean" if num_items_in_batch is None else "sum",
        ) / (1 if num_items_in_batch is None else num_items_in_batch)

    return loss
