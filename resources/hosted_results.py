"""The metrics of a hosted tuning job: its result files, or the events where there are none.

    step,train_loss,train_accuracy,valid_loss,full_valid_loss      (often the base64 of such lines)
    10,1.2066,0.71,,
    20,0.9817,0.74,1.0311,1.0502

becomes {"step": 10, "loss": 1.2066, "train_accuracy": 0.71}, {"step": 20, …, "eval_loss": 1.0502}.
"""

import base64
import binascii
import csv
import math
from collections.abc import Iterable, Mapping
from io import StringIO

Metrics = dict[str, float]


def metrics_of(content: bytes) -> list[Metrics]:
    """Return a result file's rows by step; ValueError where it is none."""
    text = _decoded(content)
    rows = csv.DictReader(StringIO(text))
    if "step" not in (rows.fieldnames or ()):
        raise ValueError(f"a result file has no column 'step': {text[:80]!r}")
    return by_step(rows)


def by_step(rows: Iterable[Mapping[str, object]]) -> list[Metrics]:
    """Return the numbers of rows that name a step, under the names that trainers use."""
    steps: dict[int, Metrics] = {}
    for row in rows:
        numbers = {name: n for name, value in row.items() if (n := _number(value)) is not None}
        if "step" in numbers:
            steps.setdefault(int(numbers["step"]), {}).update(numbers)
    found = [steps[step] for step in sorted(steps)]
    # over all validation rows, now and then; valid_loss is that of one batch of them
    whole = "full_valid_loss" if any("full_valid_loss" in row for row in found) else "valid_loss"
    return [_renamed(row, {"train_loss": "loss", whole: "eval_loss"}) for row in found]


def _renamed(row: Metrics, names: Mapping[str, str]) -> Metrics:
    return {names.get(name, name): value for name, value in row.items()} | {
        "step": int(row["step"])
    }


def _decoded(content: bytes) -> str:
    text = content.decode("utf-8-sig", errors="replace")
    if "," in text.partition("\n")[0]:
        return text
    try:
        return base64.b64decode(content, validate=False).decode("utf-8-sig", errors="replace")
    except binascii.Error:
        return text


def _number(value: object) -> float | None:
    """Return a cell's number; None for an empty cell, a word, or what is not finite."""
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
