"""The fence: an asset asks whether its inputs passed their blocking checks, at this very version.

Dagster's blocking check stops only the children of the same run; a later tick or a click on the
child runs it all the same. So training and registration ask again here.
"""

from collections.abc import Iterable

import dagster as dg
from dagster import AssetCheckExecutionContext, AssetExecutionContext, DagsterInstance

DATA_VERSION = "data_version"  # every blocking check writes the version that it looked at


def blocking_result(
    passed: bool, version: str, description: str, **metadata: dg.MetadataValue | str | int | float
) -> dg.AssetCheckResult:
    """Return a check result that the fence can match with the version that it speaks of."""
    return dg.AssetCheckResult(
        passed=passed,
        severity=dg.AssetCheckSeverity.ERROR,
        description=description,
        metadata={**metadata, DATA_VERSION: version},
    )


def require_passed(
    context: AssetExecutionContext | AssetCheckExecutionContext, checks: Iterable[dg.AssetCheckKey]
) -> None:
    """Raise dg.Failure that lists every check that failed, or never saw the current version."""
    if problems := [p for check in checks if (p := _problem(context.instance, check))]:
        raise dg.Failure("held by its checks:\n" + "\n".join(problems), allow_retries=False)


def _problem(instance: DagsterInstance, check: dg.AssetCheckKey) -> str:
    asset = check.asset_key.to_user_string()
    name = f"{asset}:{check.name}"
    event = instance.get_latest_materialization_event(check.asset_key)
    if event is None or event.asset_materialization is None:
        return f"- {asset} has never been materialized: materialize it first"
    version = (event.asset_materialization.tags or {}).get("dagster/data_version")
    evaluation = _latest_evaluation(instance, check)
    if evaluation is None or evaluation.metadata[DATA_VERSION].value != version:
        return f"- {name} has not looked at the current data: materialize {asset} with its checks"
    if not evaluation.passed:
        return f"- {name} failed: {evaluation.description}"
    return ""


def _latest_evaluation(
    instance: DagsterInstance, check: dg.AssetCheckKey
) -> dg.AssetCheckEvaluation | None:
    records = instance.event_log_storage.get_asset_check_execution_history(check, limit=10)
    for record in records:
        event = record.event.dagster_event if record.event else None
        if event is not None and event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            return event.asset_check_evaluation_data
    return None
