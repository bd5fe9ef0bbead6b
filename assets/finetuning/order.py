"""Rows of like length together, in an order that only the seed and the epoch decide.

transformers' own sampler for `group_by_length` draws from the global random state, which a resumed
training has moved on: it would see the rows of the epoch in another order. Imported inside jobs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import torch
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_pt_utils import get_length_grouped_indices


class LengthGroupedOrder(torch.utils.data.Sampler[int]):
    """Indices of the rows, those of like length beside each other; another order each epoch."""

    def __init__(self, lengths: Sequence[int], group: int, seed: int) -> None:
        self.lengths = list(lengths)
        self.group = group
        self.seed = seed
        self.epoch = 0

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        return iter(get_length_grouped_indices(self.lengths, self.group, generator=generator))

    def __len__(self) -> int:
        return len(self.lengths)


class _EpochOfTheOrder(TrainerCallback):
    """Tells the order which epoch begins, or goes on."""

    def __init__(self, order: LengthGroupedOrder) -> None:
        self.order = order

    def on_epoch_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: object,
    ) -> None:
        """Set the epoch; after a resume `state.epoch` is 1.25, say."""
        self.order.epoch = int(state.epoch or 0)


def keep_order(trainer: Trainer) -> None:
    """Give a trainer that groups by length an order that a resume repeats.

    A trainer that samples in a way of its own is left alone.
    """
    own = type(trainer)._get_train_sampler is not Trainer._get_train_sampler
    args, rows = trainer.args, cast("Any", trainer.train_dataset)
    if own or args.train_sampling_strategy != "group_by_length" or not hasattr(rows, "__len__"):
        return
    group = args.train_batch_size * args.gradient_accumulation_steps * args.world_size
    order = _order(rows, group, args.seed)
    trainer._get_train_sampler = lambda train_dataset=None: order
    trainer._get_eval_sampler = lambda eval_dataset: _order(  # drawn from the same state as well
        cast("Any", eval_dataset), args.eval_batch_size, args.seed
    )
    trainer.add_callback(_EpochOfTheOrder(order))


def _order(rows: Iterable[Mapping[str, Any]], group: int, seed: int) -> LengthGroupedOrder:
    return LengthGroupedOrder([_tokens(row) for row in rows], group, seed)


def _tokens(row: Mapping[str, Any]) -> int:
    """Return how many tokens a row holds; of a pair, those of all its texts."""
    ids = [value for name, value in row.items() if name.endswith("ids")]
    return sum(len(value) for value in ids)
