"""Spectrum's choice of layers (Hartford et al. 2024): those whose weights hold the most signal.

Of a matrix's singular values those above the Marchenko-Pastur threshold s(1 + √β) are signal and
the others noise; β is the ratio of its sides, s the interquartile range of the singular values
over 1.349. The figure is Σsignal / Σnoise over the largest singular value. Imported inside jobs
only: it loads torch. A row of the table:

    {"layer": "model.layers.3.mlp.up_proj", "type": "mlp.up_proj", "snr": 1.84, "trained": true}
"""

import math
from collections import defaultdict
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from assets.loading.layers import blocks

Row = dict[str, Any]


def signal_to_noise(matrix: torch.Tensor) -> float:
    """Return the normalised ratio of a matrix; 0 for one of zeros."""
    values = torch.linalg.svdvals(matrix.detach().float())
    if values[0] == 0:
        return 0.0
    lower, upper = torch.quantile(values, torch.tensor([0.25, 0.75], device=values.device))
    rows, columns = matrix.shape
    beta = min(rows, columns) / max(rows, columns)
    threshold = (upper - lower) / 1.349 * (1 + math.sqrt(beta))
    signal, noise = values[values > threshold].sum(), values[values <= threshold].sum()
    # of an orthogonal matrix nothing is noise; the table is JSON, which has no infinity
    return float(signal / noise.clamp_min(1e-6 * values.sum()) / values[0])


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
