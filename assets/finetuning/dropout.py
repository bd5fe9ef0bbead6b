"""Dropout that draws four of its decisions from one random number. Heavy.

On a CPU torch draws a number of 53 random bits for each value that may be dropped, one after
another: in a small encoder that was a fifth of the training. Sixteen bits decide as well; 0.1
becomes 6,554 of 65,536, and what is kept is scaled by that very chance:

    one int64   1fa3 e7c0 0b12 9d44    p = 0.1: dropped are those below 199a, 6,554
    kept           1    1    0    1    the rest times 65,536 / (65,536 - 6,554)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn import functional

_CHANCES = 1 << 16
_LOWEST = torch.iinfo(torch.int16).min
_torchs_own = functional.dropout


@contextmanager
def quick_dropout() -> Iterator[None]:
    """Let every dropout within the block draw so, on a CPU: modules and attention call one."""
    functional.dropout = dropout
    try:
        yield
    finally:
        functional.dropout = _torchs_own


def dropout(
    input: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> torch.Tensor:
    """Return what torch's function of this name does; the arguments are its own."""
    dropped = round(p * _CHANCES)
    if not training or not 0 < dropped < _CHANCES or input.device.type != "cpu":
        return _torchs_own(input, p, training, inplace)
    return _Dropout.apply(input, dropped)


class _Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, dropped: int) -> torch.Tensor:
        bits = torch.empty(-(-values.numel() // 4), dtype=torch.int64).random_(-(1 << 63), None)
        kept = bits.view(torch.int16)[: values.numel()] >= _LOWEST + dropped
        ctx.scale = _CHANCES / (_CHANCES - dropped)
        ctx.save_for_backward(kept.view(values.shape))
        return (values * kept.view(values.shape)).mul_(ctx.scale)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:  # type: ignore[override]
        (kept,) = ctx.saved_tensors
        return (gradient * kept).mul_(ctx.scale), None
