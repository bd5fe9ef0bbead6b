"""`make demo`: every pipeline from raw text to a registered model, what is up to date left alone.

It does what the daemon's sensor does, at once and in this process: observe the sources, then materialize
what is out of date, step by step, until nothing is.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import dagster as dg
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from pipelines.definitions import defs as load_defs

STAGES = (
    "raw_documents",
    "teacher_samples",
    "validated_samples",
    "rejected_samples",
    "training_examples",
    "fine_tuned_model",
    "evaluation_report",
    "registered_model",
)


@dataclass
class Outcome:
    """What one pipeline's turn came to; `numbers` is the metadata of its newest materializations."""

    pipeline: str
    seconds: float
    materialized: list[str]
    error: str = ""
    numbers: dict[str, dict[str, object]] = field(default_factory=dict)


def main() -> int:
    """Run the pipelines that the command line names, all without one; 1 when one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.demo", description=__doc__)
    parser.add_argument("pipelines", nargs="*", help="names of folders in pipelines/; default: all")
    wanted = parser.parse_args().pipelines
    defs = load_defs()
    groups = sorted({spec.group_name or "" for spec in defs.resolve_all_asset_specs()})
    if unknown := sorted(set(wanted) - set(groups)):
        parser.error(f"unknown pipeline {unknown[0]!r}; there are: {', '.join(groups)}")

    with dg.DagsterInstance.get() as instance:
        outcomes = [bring_up_to_date(defs, instance, name) for name in wanted or groups]
    print(outcomes)
    return int(any(outcome.error for outcome in outcomes))


def bring_up_to_date(defs: dg.Definitions, instance: dg.DagsterInstance, pipeline: str) -> Outcome:
    """Observe the pipeline's source, then materialize what is out of date until nothing is."""
    began = time.monotonic()
    made: list[str] = []
    say(f"{pipeline}: looking at the source")
    error = _run(defs, instance, f"{pipeline}_observe", None)
    while not error and (stale := stale_stages(defs, instance, pipeline)):
        if set(stale) <= set(made[-len(stale) :]):
            error = f"{', '.join(stale)} stay out of date after they were materialized"
            break
        say(f"{pipeline}: {', '.join(stale)} out of date")
        error = _run(defs, instance, pipeline, [dg.AssetKey([pipeline, s]) for s in stale])
        made += stale
    if not made and not error:
        say(f"{pipeline}: everything is up to date")
    numbers = {stage: _metadata(instance, dg.AssetKey([pipeline, stage])) for stage in STAGES}
    return Outcome(pipeline, time.monotonic() - began, made, error, numbers)


def stale_stages(defs: dg.Definitions, instance: dg.DagsterInstance, pipeline: str) -> list[str]:
    """Return the stages that are missing or out of date, in the order of the flow.

    Staleness is not transitive: a stage whose inputs are about to change shows only after they did.
    """
    resolver = CachingStaleStatusResolver(
        instance, defs.resolve_asset_graph(), LoadingContextForTest(instance)
    )
    return [
        stage
        for stage in STAGES
        if resolver.get_status(dg.AssetKey([pipeline, stage])) != StaleStatus.FRESH
    ]


def say(text: str) -> None:
    """Print one line of progress with the time."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


def _run(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    job: str,
    selection: Sequence[dg.AssetKey] | None,
) -> str:
    """Run a job in this process; return why it failed, or an empty text."""
    result = defs.resolve_job_def(job).execute_in_process(
        instance=instance, asset_selection=selection, raise_on_error=False
    )
    failures = [e.event_specific_data for e in result.all_events if e.is_step_failure]
    if result.success:
        return ""
    causes = [getattr(f, "error_display_string", "") for f in failures]
    details = [f.user_failure_data.description for f in failures if f.user_failure_data]
    return (details or causes or ["the run failed; see the Dagster UI"])[0] or "unknown"


def _metadata(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[str, object]:
    event = instance.get_latest_materialization_event(key)
    if event is None or event.asset_materialization is None:
        return {}
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


if __name__ == "__main__":
    sys.exit(main())
