"""A matrix in NF4 or int8, by bitsandbytes' functions; they run on a CPU and on a GPU alike."""

from typing import Literal

import bitsandbytes.functional as bnb
import torch
from torch import nn
from torch.nn import functional

Scheme = Literal["nf4", "int8"]
BYTE = torch.uint8
BLOCK = 64  # weights that share a scale in NF4
SCALES_BLOCK = 256  # scales that share a scale of their own: double quantisation


class Weight(nn.Module):
    """What both schemes offer: called with row numbers it gives these rows, without them all."""

    def __init__(self, rows: int, columns: int, dtype: torch.dtype) -> None:
        super().__init__()
        self.rows, self.columns, self.dtype = rows, columns, dtype

    def fill(self, matrix: torch.Tensor) -> None:
        """Quantise a matrix of this shape into the buffers."""
        raise NotImplementedError


class Nf4Weight(Weight):
    """Two weights a byte; each row is padded to whole blocks, so that a row can be had alone."""

    codes: torch.Tensor
    scales: torch.Tensor
    scales_absmax: torch.Tensor
    scales_offset: torch.Tensor

    def __init__(self, rows: int, columns: int, dtype: torch.dtype) -> None:
        super().__init__(rows, columns, dtype)
        self.blocks = -(-columns // BLOCK)  # in a row
        groups = -(-rows * self.blocks // SCALES_BLOCK)
        self.register_buffer(
            "codes", torch.empty(rows, self.blocks * BLOCK // 2, dtype=torch.uint8)
        )
        self.register_buffer("scales", torch.empty(rows * self.blocks, dtype=BYTE))
        self.register_buffer("scales_absmax", torch.empty(groups))
        self.register_buffer("scales_offset", torch.empty(()))

    def fill(self, matrix: torch.Tensor) -> None:
        """Quantise a matrix of this shape into the buffers."""
        padded = functional.pad(matrix.float(), (0, self.blocks * BLOCK - self.columns))
        codes, state = bnb.quantize_4bit(padded.contiguous(), blocksize=BLOCK, quant_type="nf4")
        offset = state.absmax.mean()
        scales, nested = bnb.quantize_blockwise(state.absmax - offset, blocksize=SCALES_BLOCK)
        self.codes, self.scales = codes.reshape(self.rows, -1), scales
        self.scales_absmax, self.scales_offset = nested.absmax, offset

    def forward(self, rows: torch.Tensor | None = None) -> torch.Tensor:
        """Return the matrix, or these rows of it."""
        codes = self.codes if rows is None else self.codes[rows]
        scales = self._scales() if rows is None else self._scales()[rows]
        state = bnb.QuantState(
            absmax=scales.reshape(-1),
            shape=torch.Size([len(codes), self.blocks * BLOCK]),
            blocksize=BLOCK,
            quant_type="nf4",
            dtype=self.dtype,
        )
        return bnb.dequantize_4bit(codes.reshape(-1, 1), state)[:, : self.columns]

    def _scales(self) -> torch.Tensor:
        plain = bnb.dequantize_blockwise(
            self.scales, absmax=self.scales_absmax, blocksize=SCALES_BLOCK
        )
        return (plain + self.scales_offset).reshape(self.rows, self.blocks)


class Int8Weight(Weight):
    """A byte a weight, scaled by the largest of its row (LLM.int8, Dettmers et al. 2022)."""

    codes: torch.Tensor
    scales: torch.Tensor

    def __init__(self, rows: int, columns: int, dtype: torch.dtype) -> None:
        super().__init__(rows, columns, dtype)
        self.register_buffer("codes", torch.empty(rows, columns, dtype=torch.int8))
        self.register_buffer("scales", torch.empty(rows))

    def fill(self, matrix: torch.Tensor) -> None:
        """Quantise a matrix of this shape into the buffers."""
        # half precision is what bitsandbytes' kernel takes on a GPU, and what its layers give it
        self.codes, self.scales, _ = bnb.int8_vectorwise_quant(matrix.half())

    def forward(self, rows: torch.Tensor | None = None) -> torch.Tensor:
        """Return the matrix, or these rows of it."""
        codes = self.codes if rows is None else self.codes[rows]
        scales = self.scales if rows is None else self.scales[rows]
        return bnb.int8_vectorwise_dequant(codes, scales).to(self.dtype)


SCHEMES: dict[Scheme, type[Weight]] = {"nf4": Nf4Weight, "int8": Int8Weight}


def empty_weight(matrix: torch.Tensor, scheme: Scheme) -> Weight:
    """Return a place for the quantised matrix, to be filled from a file."""
    rows, columns = matrix.shape
    return SCHEMES[scheme](rows, columns, matrix.dtype)


def quantised_weight(matrix: torch.Tensor, scheme: Scheme) -> Weight:
    """Return a matrix quantised."""
    weight = empty_weight(matrix, scheme)
    weight.fill(matrix.detach())
    return weight
