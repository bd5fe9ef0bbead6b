"""The order of the rows: which come into a step together, and which of those are computed at once.

Rows of like length need little padding, so the rows of a step are sorted before the step is cut
into micro-batches:

    a step of 8 rows, 2 at a time        real tokens    with padding
    210  74 188  76  81 173 319  66            1,187           1,780
    319 210 188 173  81  76  74  66            1,187           1,324

The order follows from the seed and the epoch alone. transformers' own sampler for `group_by_length`
draws from the global random state, which a resumed training has moved on: it would see the rows of
the epoch in another order. Imported inside jobs.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import torch
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_pt_utils import get_length_grouped_indices


class StepOrder(torch.utils.data.Sampler[int]):
    """Indices of the rows, another order each epoch; those of a step from the longest on."""

    def __init__(self, lengths: Sequence[int], step: int, strategy: str, seed: int) -> None:
        self.lengths = list(lengths)
        self.step = step  # rows
        self.strategy = strategy  # transformers' train_sampling_strategy
        self.seed = seed
        self.epoch = 0

    def __iter__(self) -> Iterator[int]:
        drawn = self._drawn()
        for first in range(0, len(drawn), self.step):
            together = drawn[first : first + self.step]
            yield from sorted(together, key=lambda row: -self.lengths[row])

    def __len__(self) -> int:
        return len(self.lengths)

    def _drawn(self) -> list[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        if self.strategy == "group_by_length":
            return get_length_grouped_indices(self.lengths, self.step, generator=generator)
        if self.strategy == "sequential":
            return list(range(len(self.lengths)))
        return torch.randperm(len(self.lengths), generator=generator).tolist()


class _EpochOfTheOrder(TrainerCallback):
    """Tells the order which epoch begins, or goes on."""

    def __init__(self, order: StepOrder) -> None:
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
    """Give a trainer an order that needs little padding and that a resume repeats.

    A trainer that samples in a way of its own is left alone: there it matters what comes together.
    """
    own = type(trainer)._get_train_sampler is not Trainer._get_train_sampler
    args, rows = trainer.args, cast("Any", trainer.train_dataset)
    if own or not hasattr(rows, "__len__"):
        return
    step = args.train_batch_size * args.gradient_accumulation_steps * args.world_size
    order = StepOrder(_lengths(rows), step, args.train_sampling_strategy, args.seed)
    trainer._get_train_sampler = lambda train_dataset=None: order
    trainer.add_callback(_EpochOfTheOrder(order))
    if args.train_sampling_strategy == "group_by_length":  # which draws from that state as well
        trainer._get_eval_sampler = lambda eval_dataset: StepOrder(
            _lengths(eval_dataset), args.eval_batch_size, "group_by_length", args.seed
        )


def _lengths(rows: Any) -> list[int]:
    """Return how many tokens each row holds; of a pair, those of all its texts."""

    def tokens(row: Mapping[str, Any]) -> int:
        return sum(len(value) for name, value in row.items() if name.endswith("ids"))

    return [tokens(row) for row in rows]
