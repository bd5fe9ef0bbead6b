"""What is chosen by device and rows so that training is fast there; the loss stays the same. Heavy.

lever                     where                                    exact but for rounding, since
base_dtype: bfloat16      a causal base that stays as it is, on    adapters stay float32, and
                          a device that computes it natively       evaluation loads the base so too
micro_batch_size          a CPU: few rows at a time need little    a step's loss is divided by all
                          padding and stay in its cache            that it learns, whatever the cut
rows of like length       everywhere: order.py                     a step has the rows that it had
loss over labels only     a CPU: loss_head.py                      what has no label has no loss
weights cast once a step  under bf16: casting.py                   they change at its end only
attention: eager          a CPU, short rows                        the same sums in another order
dropout by random bits    a CPU: dropout.py                        any number's chance is the same

A GPU is kept busy by whole batches; there TRL's own kernels leave out what has no label.
"""

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import torch

EAGER_TOKENS = 1024  # of the longest row; the matrix of a longer one takes too much memory
TOKENS_AT_ONCE = 1024  # more need memory and padding, fewer spend the time on starting operations


def computes_bf16() -> bool:
    """Return whether the GPU, or the CPU where there is none, multiplies bfloat16 natively."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    features = torch.cpu.get_capabilities()
    return bool(features.get("avx512_bf16") or features.get("amx_bf16"))


def base_dtype(settings: Mapping[str, Any], objective: ModuleType, method: ModuleType) -> str:
    """Return how the base's weights are kept.

    A weight that learns needs float32: most steps are too small for bfloat16 to show. So does a new
    head, which only some kinds of model have.
    """
    frozen = getattr(method, "BASE_IS_FROZEN", False) and objective.MODEL == "causal"
    wanted = computes_bf16() if settings["bf16"] is None else settings["bf16"]
    return "bfloat16" if frozen and wanted else "float32"


def attend(model: Any, longest: int) -> None:
    """Let a transformers model attend by plain products where they beat fused attention.

    On a CPU the backward pass of the fused one takes twice as long for rows of some hundred tokens,
    and with dropout it looks for rows without a token to attend to. `longest` is the number of
    tokens of the longest sequence.
    """
    if longest <= EAGER_TOKENS and not torch.cuda.is_available():
        model.set_attn_implementation("eager")


def micro_batched(
    settings: Mapping[str, Any], objective: ModuleType, rows: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the settings with each batch cut into micro-batches that are accumulated.

    A batch is whole where its rows are compared with each other, and on a GPU.
    """
    batch, cut = settings["per_device_train_batch_size"], settings["micro_batch_size"]
    if getattr(objective, "IN_BATCH", False):
        cut = batch
    elif cut is None:
        summed = getattr(objective, "LOSS_IS_SUMMED", False)
        cut = batch if torch.cuda.is_available() else best_cut(batch, rows, summed)
    return {
        **settings,
        "micro_batch_size": cut,
        "per_device_train_batch_size": cut,
        "gradient_accumulation_steps": settings["gradient_accumulation_steps"] * batch // cut,
    }


def best_cut(batch: int, rows: Sequence[Mapping[str, Any]], summed: bool = True) -> int:
    """Return how many rows at a time, a divisor of `batch`, fit TOKENS_AT_ONCE; at least one.

    A loss that is not `summed` over a step is averaged over its micro-batches, and then the last
    of an epoch must not be smaller than the others.
    """
    lengths = sorted(row_tokens(row) for row in rows)
    cuts = [cut for cut in range(1, batch + 1) if batch % cut == 0]
    exact = [cut for cut in cuts if summed or cut == batch or len(rows) % cut == 0]
    return max(
        cut for cut in exact if cut == 1 or cut * _mean_longest(lengths, cut) <= TOKENS_AT_ONCE
    )


def row_tokens(row: Mapping[str, Any]) -> int:
    """Return the tokens of all the sequences of a row, as templating rendered it."""
    found = [value for name, value in row.items() if name.endswith("input_ids")]
    return sum(
        len(ids) if not ids or isinstance(ids[0], int) else sum(map(len, ids)) for ids in found
    )


def _mean_longest(lengths: Sequence[int], drawn: int) -> float:
    """Return the expected length of the longest of `drawn` rows; `lengths` are sorted."""
    number = len(lengths)
    below = [(place / number) ** drawn for place in range(number + 1)]
    return sum(n * (below[i + 1] - below[i]) for i, n in enumerate(lengths))
