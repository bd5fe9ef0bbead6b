"""The table that `make demo` ends with, read from the newest materializations."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

COLUMNS = (
    *("pipeline", "rows", "new", "rejected", "seconds"),
    *("metric", "base", "baseline", "tuned", "verdict"),
)


@dataclass(frozen=True)
class Outcome:
    """What one pipeline's turn came to."""

    pipeline: str
    seconds: float
    ids_before: frozenset[str]  # of the documents that stood before
    error: str  # empty when all went well


def document_ids(instance: dg.DagsterInstance, pipeline: str) -> frozenset[str]:
    """Return the ids of the newest raw documents; none before the first run."""
    path = newest(instance, pipeline, "raw_documents").get("artifact")
    if path is None:
        return frozenset()
    import pyarrow.parquet as pq

    rows = pq.read_table(Path(str(path)) / "rows.parquet", columns=["id"])
    return frozenset(rows.column("id").to_pylist())


def newest(instance: dg.DagsterInstance, pipeline: str, stage: str) -> dict[str, object]:
    """Return the metadata of a stage's newest materialization; empty before the first."""
    event = instance.get_latest_materialization_event(dg.AssetKey([pipeline, stage]))
    if event is None or event.asset_materialization is None:
        return {}
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def table(instance: dg.DagsterInstance, outcomes: Sequence[Outcome]) -> str:
    """Return one line a pipeline, why each was promoted or held, and where to look."""
    lines = [COLUMNS, *(_line(instance, outcome) for outcome in outcomes)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    drawn = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in lines]
    reasons = [f"{o.pipeline}: {_reason(instance, o)}" for o in outcomes]
    places = (
        "make dev          lineage http://localhost:3000   models http://localhost:5000",
        *(f"report            {report}" for o in outcomes if (report := _report(instance, o))),
    )
    return "\n".join(["", *drawn, "", *reasons, "", *places])


def _line(instance: dg.DagsterInstance, outcome: Outcome) -> tuple[str, ...]:
    ids = document_ids(instance, outcome.pipeline)
    rejected = newest(instance, outcome.pipeline, "rejected_samples").get("rows", "-")
    registered = newest(instance, outcome.pipeline, "registered_model")
    tuned = next((n for n in registered if n.startswith("tuned_")), "tuned_-")
    metric = tuned.removeprefix("tuned_")
    scores = (registered.get(f"{arm}_{metric}") for arm in ("base", "baseline", "tuned"))
    if outcome.error:
        verdict = "FAILED"
    elif not registered:
        verdict = "waits"
    else:
        verdict = "promoted" if registered["promoted"] else "held"
    return (
        *(outcome.pipeline, str(len(ids)), str(len(ids - outcome.ids_before)), str(rejected)),
        f"{outcome.seconds:.1f}",
        *(metric, *(f"{s:.3f}" if isinstance(s, float) else "-" for s in scores), verdict),
    )


def _reason(instance: dg.DagsterInstance, outcome: Outcome) -> str:
    if outcome.error:
        return outcome.error
    if registered := newest(instance, outcome.pipeline, "registered_model"):
        return f"{registered['reason']} (version {registered['version']})"
    rows = newest(instance, outcome.pipeline, "training_examples")["rows"]
    return f"{rows} training examples wait for an objective: add finetuning: to its defs.yaml"


def _report(instance: dg.DagsterInstance, outcome: Outcome) -> str:
    folder = newest(instance, outcome.pipeline, "evaluation_report").get("artifact")
    return f"{folder}/report.html" if folder else ""
