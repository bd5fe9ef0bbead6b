"""When a pipeline retrains itself: the condition of every asset, the nightly sweep, the sensor.

Data stages follow the content at once and stop where it did not change. The cadence of `retrain:`
holds for the one stage that costs, training; what comes after follows it.
"""

from typing import Annotated

import dagster as dg
from dagster._utils.schedules import is_valid_cron_string
from pydantic import AfterValidator

CADENCES = {"daily": "0 2 * * *", "weekly": "0 2 * * 1"}
OBSERVE_EVERY = "*/15 * * * *"
SWEEP = "0 4 * * *"  # after the nightly trainings


def _known_cadence(value: str) -> str:
    if value in ("on_change", "manual", *CADENCES) or is_valid_cron_string(value):
        return value
    raise ValueError(
        f"retrain {value!r} is none of: on_change, {', '.join(CADENCES)}, manual, a cron expression"
    )


Retrain = Annotated[str, AfterValidator(_known_cadence)]


def condition_for(
    key: dg.AssetKey, retrain: str, trains: bool = False
) -> dg.AutomationCondition | None:
    """Return when the asset materializes by itself; None: only by hand. `trains` waits its turn.

    Unlike `eager()` it stays quiet on the same content, and keeps an update that comes while the
    asset is being made: `since` forgets the trigger only at a request that met no new one.
    """
    if retrain == "manual" or key.path[-1] == "source_files":
        return None
    condition = dg.AutomationCondition
    trigger = (
        condition.any_deps_match(condition.data_version_changed())
        | condition.code_version_changed()
        | condition.newly_missing()
    )
    wanted = trigger.since(condition.newly_requested() & ~trigger)
    ready = (
        condition.all_deps_blocking_checks_passed()
        & ~condition.any_deps_missing()
        & ~condition.any_deps_in_progress()
        & ~condition.in_progress()
    )
    if trains and retrain != "on_change":
        cron = CADENCES.get(retrain, retrain)
        due = condition.cron_tick_passed(cron).since(condition.newly_requested())
        return (wanted & ready & due).with_label(
            f"content changed, at most once a period of {cron}"
        )
    return (wanted & ready).with_label("content changed")


def schedules_for(pipeline: str, retrain: str) -> list[dg.ScheduleDefinition]:
    """Return the observation of the source and the sweep that picks up what a failed run left."""
    observe = dg.define_asset_job(
        f"{pipeline}_observe", selection=[f"{pipeline}/source_files"], tags={"pipeline": pipeline}
    )
    schedules = [
        dg.ScheduleDefinition(
            name=f"{pipeline}_observe",
            job=observe,
            cron_schedule=OBSERVE_EVERY,
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description="Looks whether the raw export has changed.",
        )
    ]
    if retrain != "manual":
        schedules.append(_sweep(pipeline, retrain))
    return schedules


def _sweep(pipeline: str, retrain: str) -> dg.ScheduleDefinition:
    """Return the sweep: automation asks once, so what failed is asked for again."""
    cron = SWEEP if retrain in ("on_change", "daily") else CADENCES.get(retrain, retrain)

    def run_request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(stale_assets_only=True)

    return dg.ScheduleDefinition(
        name=f"{pipeline}_sweep",
        job_name=pipeline,
        cron_schedule=cron,
        execution_fn=run_request,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Materializes what is still out of date, after a failed run for instance.",
    )


def retrain_sensor() -> dg.AutomationConditionSensorDefinition:
    """Return the sensor that ticks the conditions; Dagster's own waits for a click."""
    return dg.AutomationConditionSensorDefinition(
        "retrain_when_content_changes",
        target=dg.AssetSelection.all(),
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=30,
    )
