"""What models say of token ids, in batches of like length. Heavy: import it inside a function."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from assets.evaluation.arms import Arm
from assets.evaluation.test_set import IGNORED
from assets.loading.models import adapters_for

Sequenced = tuple[list[int], list[int]]  # input ids and labels
Features = Mapping[str, list[int]]  # input_ids, and token_type_ids of a pair


@dataclass(frozen=True)
class Foreseen:
    """How well a causal model foresees the labelled tokens of one sequence."""

    nats: float  # negative log-likelihood
    tokens: int
    hits: int  # tokens that it would have chosen itself

    @property
    def log_probability(self) -> float:
        """Return the mean log-probability of a token."""
        return -self.nats / self.tokens


def foresee(
    model: Any, sequences: Sequence[Sequenced], batch_size: int, routes: Sequence[str] = ()
) -> list[Foreseen]:
    """Return what a causal model makes of each (input ids, labels), in their order.

    `routes` says which of several adapters each of them is for.
    """
    found: dict[int, Foreseen] = {}
    for batch in _batches([len(ids) for ids, _ in sequences], batch_size):
        adapters = adapters_for(model, [routes[i] for i in batch]) if routes else {}
        made = _foreseen(model, [sequences[i] for i in batch], adapters)
        found.update(zip(batch, made, strict=True))
    return [found[i] for i in range(len(sequences))]


def logits(arm: Arm, inputs: Sequence[Features], batch_size: int) -> list[torch.Tensor]:
    """Return each input's logits: of shape (labels,), or (tokens, labels) from a token model."""
    found: dict[int, torch.Tensor] = {}
    for batch in _batches([len(features["input_ids"]) for features in inputs], batch_size):
        found.update(zip(batch, _logits(arm, [inputs[i] for i in batch]), strict=True))
    return [found[i] for i in range(len(inputs))]


def scores(arm: Arm, inputs: Sequence[Features], batch_size: int) -> list[float]:
    """Return the one number that a score model gives each input."""
    return [float(row[0]) for row in logits(arm, inputs, batch_size)]


def _batches(lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    longest_first = sorted(range(len(lengths)), key=lambda i: lengths[i], reverse=True)
    for start in range(0, len(longest_first), size):
        yield longest_first[start : start + size]


def _foreseen(
    model: Any, sequences: Sequence[Sequenced], adapters: dict[str, list[str]]
) -> Iterator[Foreseen]:
    ids, labels = zip(*sequences, strict=True)
    wanted = _padded(labels, IGNORED)[:, 1:].to(model.device)
    inputs = _padded(ids, 0)[:, :-1].to(model.device)  # the right side is causal: no mask
    first = int((wanted != IGNORED).any(0).nonzero()[0])
    span = torch.arange(first, inputs.shape[1], device=model.device)
    with torch.inference_mode():
        made = model(inputs, logits_to_keep=span, use_cache=False, **adapters).logits
    for row, label in zip(made, wanted[:, first:], strict=True):
        kept = label != IGNORED
        chosen = row[kept].float()
        nats = torch.nn.functional.cross_entropy(chosen, label[kept], reduction="sum")
        hits = int((chosen.argmax(-1) == label[kept]).sum())
        yield Foreseen(float(nats), int(kept.sum()), hits)


def _logits(arm: Arm, inputs: Sequence[Features]) -> Iterator[torch.Tensor]:
    filler: Any = arm.tokenizer.pad_token_id or 0
    batch = {
        name: _padded([features[name] for features in inputs], filler if name == "input_ids" else 0)
        for name in inputs[0]
    }
    lengths = [len(features["input_ids"]) for features in inputs]
    batch["attention_mask"] = _padded([[1] * length for length in lengths], 0)
    with torch.inference_mode():
        made = arm.model(**{name: rows.to(arm.model.device) for name, rows in batch.items()}).logits
    for row, length in zip(made.double().cpu(), lengths, strict=True):
        yield row[:length] if made.dim() == 3 else row


def _padded(rows: Sequence[list[int]], filler: int) -> torch.Tensor:
    tensors = [torch.tensor(row) for row in rows]
    return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=filler)
