"""`make demo`: pipelines from raw text to registered models, where out of date.

It does what the daemon does, at once and in this process: observe the sources, then materialize
what is out of date, stage by stage, until nothing is.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Sequence
from itertools import dropwhile, takewhile

import dagster as dg
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from pipelines.console import plain_console
from pipelines.demo_table import Outcome, document_ids, table

SHOWN = ("linkedin_writer", "phishing_classifier")  # enough to see a writer and a classifier
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


def main() -> int:
    """Run the pipelines that the command line names, two without; 1 when one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.demo")
    names = f"names of folders in pipelines/, or all; default: {', '.join(SHOWN)}"
    parser.add_argument("pipelines", nargs="*", default=SHOWN, help=names)
    wanted = parser.parse_args().pipelines
    warnings.simplefilter("ignore", dg.BetaWarning)
    warnings.simplefilter("ignore", dg.PreviewWarning)
    from pipelines.definitions import defs as load_defs

    defs = dg.Definitions.merge(load_defs(), dg.Definitions(loggers={"plain": plain_console}))
    groups = sorted({spec.group_name or "" for spec in defs.resolve_all_asset_specs()})
    wanted = groups if list(wanted) == ["all"] else wanted
    if unknown := sorted(set(wanted) - set(groups)):
        parser.error(f"unknown pipeline {unknown[0]!r}; there are: {', '.join(groups)}")
    with dg.DagsterInstance.get() as instance:
        outcomes = [bring_up_to_date(defs, instance, name) for name in wanted]
        print(table(instance, outcomes))
    return int(any(outcome.error for outcome in outcomes))


def bring_up_to_date(defs: dg.Definitions, instance: dg.DagsterInstance, pipeline: str) -> Outcome:
    """Observe the pipeline's source, then materialize what is out of date until nothing is."""
    began = time.monotonic()
    before = document_ids(instance, pipeline)
    made: list[str] = []
    say(f"{pipeline}: looking at the source")
    error = _run(defs, instance, f"{pipeline}_observe", None)
    while not error and (stale := stale_stages(defs, instance, pipeline)):
        if len(made) > 3 * len(STAGES):
            error = f"{', '.join(stale)} stay out of date after they were materialized"
            break
        say(f"{pipeline}: out of date: {', '.join(stale)}")
        error = _run(defs, instance, pipeline, [dg.AssetKey([pipeline, s]) for s in stale])
        made += stale
    if not made and not error:
        say(f"{pipeline}: everything is up to date")
    return Outcome(pipeline, time.monotonic() - began, before, error)


def stale_stages(defs: dg.Definitions, instance: dg.DagsterInstance, pipeline: str) -> list[str]:
    """Return the first stage that is missing or out of date, and those after it that are too.

    Staleness is not transitive: behind a stage that is still fresh, a later one may be about to get
    other inputs, so it waits for the next look.
    """
    graph = defs.resolve_asset_graph()
    resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    there = [key.path[-1] for key in graph.get_all_asset_keys() if key.path[0] == pipeline]
    parts = sorted(stage for stage in there if stage.startswith(("trial_", "adapter_")))
    before = STAGES.index("fine_tuned_model")
    stages = (*STAGES[:before], *parts, *STAGES[before:])
    keys = {stage: dg.AssetKey([pipeline, stage]) for stage in stages}
    fresh = [
        (stage, resolver.get_status(key) == StaleStatus.FRESH)
        for stage, key in keys.items()
        if graph.has(key)
    ]
    behind = dropwhile(lambda pair: pair[1], fresh)
    return [stage for stage, _ in takewhile(lambda pair: not pair[1], behind)]


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
        instance=instance,
        asset_selection=selection,
        raise_on_error=False,
        run_config={"loggers": {"plain": {}}},
    )
    if result.success:
        return ""
    failed = [event for event in result.all_events if event.is_step_failure]
    if not failed:
        return f"{job} failed"
    say(_reason(failed[0]))
    return f"{(failed[0].step_key or job).rpartition('__')[2]} failed"


def _reason(event: dg.DagsterEvent) -> str:
    """Return why a step failed, in the words of whoever raised it."""
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return data.user_failure_data.description
    return data.error.message.strip() if data.error else "no reason was given"


if __name__ == "__main__":
    sys.exit(main())
