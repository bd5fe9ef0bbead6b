"""The loss of a causal model over its labelled positions only. Heavy.

In a row with a prompt of 200 tokens and an answer of 100, only 100 positions have a label; away
from a GPU TRL projects all of them to the vocabulary, padding too. Here the hidden states of the
labelled positions are gathered just before the head of the model, so that everything around it
(adapters, scaling, checkpointing, noise on embeddings) works as it does without:

    input_ids      7    3  9  5  2   pad         hidden states (1, 6, H)
    labels      -100 -100  9  5  2  -100     ->  those that predict 9, 5 and 2: (3, H) -> (3, V)
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn import functional

IGNORED = -100


def is_exact(model: nn.Module) -> bool:
    """Return whether the gathered loss of this model, wrapped by PEFT or not, is its whole loss.

    It is not where experts are balanced by a loss of their own, nor where tokens that are no input
    stand before the row (prompt tuning), nor where the head is more than one matrix.
    """
    head = _output_embeddings(model)
    config = model.config.get_text_config()  # type: ignore[operator]
    return (
        isinstance(getattr(head, "base_layer", head), nn.Linear)
        and not hasattr(config, "output_router_logits")
        and not getattr(getattr(model, "active_peft_config", None), "is_prompt_learning", False)
    )


def labelled_loss(
    model: nn.Module,
    inputs: Mapping[str, torch.Tensor],
    num_items_in_batch: torch.Tensor | int | None = None,
    label_smoothing: float = 0.0,
) -> torch.Tensor:
    """Return the cross-entropy, in float32, summed over the labels and divided by their number.

    Args:
        model: may be wrapped, by PEFT or for several processes.
        inputs: of the model, with labels as long as input_ids; padding may be on either side.
        num_items_in_batch: the labels of all micro-batches of the step; None: those of this one.
        label_smoothing: the share of a label that all other tokens get.
    """
    inputs = dict(inputs)
    targets = functional.pad(inputs.pop("labels"), (0, 1), value=IGNORED)[:, 1:]
    learnt = targets != IGNORED
    with _gathered(_output_embeddings(model), learnt):
        logits = model(**inputs, use_cache=False).logits
    loss = functional.cross_entropy(
        logits.float(), targets[learnt], reduction="sum", label_smoothing=label_smoothing
    )
    count = learnt.sum() if num_items_in_batch is None else torch.as_tensor(num_items_in_batch)
    return loss / count.to(loss.device).clamp(min=1)


class LabelledLoss:
    """Mixed in before TRL's SFTTrainer: its loss is `labelled_loss` wherever that is exact.

    On a GPU TRL's own kernel does the same; it has none for smoothed labels.
    """

    def compute_loss(
        self: Any,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Return the loss as transformers' Trainer means it; with outputs, the trainer's own."""
        smoothing = self.args.label_smoothing_factor
        served = self.args.device.type == "cuda" and not smoothing
        if return_outputs or served or not is_exact(self.accelerator.unwrap_model(model)):
            own: Any = super()
            return own.compute_loss(model, inputs, return_outputs, num_items_in_batch)
        loss = labelled_loss(model, inputs, num_items_in_batch, smoothing)
        if self.args.average_tokens_across_devices and num_items_in_batch is not None:
            loss = loss * self.accelerator.num_processes  # whose gradients are averaged
        return loss


def _output_embeddings(model: nn.Module) -> nn.Module:
    unwrapped = getattr(model, "module", model)  # of DistributedDataParallel
    return unwrapped.get_output_embeddings()  # type: ignore[operator]


@contextmanager
def _gathered(head: nn.Module, learnt: torch.Tensor) -> Iterator[None]:
    """Let the head see, within the block, the hidden states of the positions that are learnt."""

    def gather(_: nn.Module, arguments: tuple[torch.Tensor, ...]) -> torch.Tensor:
        return arguments[0][learnt]

    hook = head.register_forward_pre_hook(gather)
    try:
        yield
    finally:
        hook.remove()
