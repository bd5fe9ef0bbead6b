"""Spectrum's choice of layers (Hartford et al. 2024): those whose weights hold the most signal.

Of a matrix's singular values those above the upper edge of the Marchenko-Pastur law are signal and
the others noise. Noise of a standard deviation s in a matrix with sides n <= m gives singular
values up to s√m(1 + √β), β = n / m, and s√m is read from the interquartile range of the values,
which the few large ones do not move. The authors divide that range by 1.349, the normal
distribution's; we divide it by the law's own, because with theirs most of a matrix of pure noise
is signal. The figure is Σsignal / Σnoise over the largest singular value, as theirs.

Imported inside jobs only: it loads torch. A row of the table:

    {"layer": "model.layers.3.mlp.up_proj", "type": "mlp.up_proj", "snr": 1.84, "trained": true}
"""

import math
from collections import defaultdict
from functools import cache
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from assets.loading.layers import blocks

Row = dict[str, Any]


def signal_to_noise(matrix: torch.Tensor) -> float:
    """Return the normalised ratio of a matrix; 0 for one of zeros."""
    if matrix.is_meta:  # the memory estimate asks for shapes; all alike, the first blocks are taken
        return 0.0
    values = singular_values(matrix.detach())
    if values[0] == 0:
        return 0.0
    rows, columns = matrix.shape
    beta = min(rows, columns) / max(rows, columns)
    threshold = _range(values) / law_range(beta) * (1 + math.sqrt(beta))
    signal, noise = values[values > threshold].sum(), values[values <= threshold].sum()
    # of an orthogonal matrix nothing is noise; the table is JSON, which has no infinity
    return float(signal / noise.clamp_min(1e-6 * values.sum()) / values[0])


def singular_values(matrix: torch.Tensor) -> torch.Tensor:
    """Return the singular values, largest first: the roots of the smaller Gram's eigenvalues."""
    wide = matrix.double() if matrix.shape[0] <= matrix.shape[1] else matrix.double().T
    return torch.linalg.eigvalsh(wide @ wide.T).clamp_min(0).sqrt().flip(0)


@cache
def law_range(beta: float) -> float:
    """Return the interquartile range of the singular values of noise, in units of s√m."""
    low, high = 1 - math.sqrt(beta), 1 + math.sqrt(beta)
    steps = torch.arange(0.5, 4000, dtype=torch.float64) / 4000
    x = low + (high - low) * steps
    density = torch.sqrt((high**2 - x**2) * (x**2 - low**2)) / x
    mass = density.cumsum(0) / density.sum()
    lower, upper = torch.searchsorted(mass, torch.tensor([0.25, 0.75], dtype=mass.dtype))
    return float(x[upper] - x[lower])


def _range(values: torch.Tensor) -> float:
    quartiles = torch.quantile(values, torch.tensor([0.25, 0.75]).to(values))
    return float(quartiles[1] - quartiles[0])


def table_of_layers(model: PreTrainedModel, top_percent: float) -> list[Row]:
    """Return a row for each matrix of the blocks; the best of each type are marked as trained.

    At least one of each type is trained. Embeddings, norms and heads are not ranked.
    """
    by_type: dict[str, list[Row]] = defaultdict(list)
    for name, block in blocks(model).items():
        for kind, module in block.named_modules():
            if isinstance(module, nn.Linear):
                ratio = signal_to_noise(module.weight)
                by_type[kind].append({"layer": f"{name}.{kind}", "type": kind, "snr": ratio})
    table = []
    for rows in by_type.values():
        kept = math.ceil(len(rows) * top_percent / 100)
        ranked = sorted(rows, key=lambda row: -row["snr"])
        table += [{**row, "trained": i < kept} for i, row in enumerate(ranked)]
    return table
