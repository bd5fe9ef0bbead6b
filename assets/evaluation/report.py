"""The report that a person reads: one HTML file with everything inside."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LABELS = {
    "author": "author",
    "base": "base model",
    "baseline": "baseline",
    "champion": "champion",
    "tuned": "tuned",
}
TITLES = {
    "reference": "reference",
    "base": "base",
    "baseline": "baseline",
    "tuned": "tuned",
}


def render(
    manifest: Mapping[str, Any], model: Mapping[str, Any], pictures: Mapping[str, bytes]
) -> str:
    """Return the page; all text in it is escaped, for posts and mails are strangers' words.

    `manifest` is that of the report, `model` that of `fine_tuned_model`.
    """
    from jinja2 import Environment, StrictUndefined

    source = Path(__file__).with_name("report.html").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(source).render(
        report=manifest,
        model=model,
        arms=[(arm, LABELS[arm]) for arm in arm_columns(manifest)],
        table=metric_table(manifest),
        pictures={k: base64.b64encode(png).decode() for k, png in pictures.items()},
        titles=TITLES,
    )


def arm_columns(manifest: Mapping[str, Any]) -> list[str]:
    """Return the arms of the table, in its order."""
    present = set(manifest["metrics"]) | ({"author"} if manifest["author"] else set())
    return [arm for arm in LABELS if arm in present]


def metric_table(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row a metric: its name, its direction, its cells by arm, and the best arms.

    {"metric": "roc_auc", "direction": "higher", "cells": {"base": 0.51, "tuned": 0.98},
         "best": ["tuned"]}
    """
    by_arm = dict(manifest["metrics"]) | {"author": manifest["author"] or {}}
    rows = []
    for metric, direction in manifest["directions"].items():
        cells = {a: by_arm[a][metric] for a in arm_columns(manifest) if metric in by_arm[a]}
        if not cells:
            continue  # a benchmark measures less of some models than of others
        rivals = {arm: value for arm, value in cells.items() if arm != "author"}
        if direction == "lower" and metric in by_arm["author"]:
            del cells["author"]  # the author's distance from the author says nothing
        best = {"lower": min, "higher": max}.get(direction)
        winners = [a for a, v in rivals.items() if v == best(rivals.values())] if best else []
        rows.append({"metric": metric, "direction": direction, "cells": cells, "best": winners})
    return rows


def markdown_table(manifest: Mapping[str, Any]) -> str:
    """Return the table of metrics as Markdown, the best in bold."""
    arms = arm_columns(manifest)
    header = ["metric", *(LABELS[arm] for arm in arms)]
    lines = [header, ["---"] + ["---:"] * len(arms)]
    for row in metric_table(manifest):
        cells = [_bold(row, arm) if arm in row["cells"] else "" for arm in arms]
        lines.append([row["metric"], *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _bold(row: Mapping[str, Any], arm: str) -> str:
    figure = f"{row['cells'][arm]:.3f}"
    return f"**{figure}**" if arm in row["best"] else figure
