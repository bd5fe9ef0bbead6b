"""fine_tuned_model where a sweep comes before it: the best trial's model, as it is."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from assets.finetuning.summary import summary
from assets.finetuning.sweep.trials import Trial, best, eval_loss
from resources.artifact_store import Artifact, ArtifactStore
from resources.experiment_tracker import ExperimentTracker, RunRecord
from resources.presentation import shown, table_preview


def best_of(
    pipeline: str, tried: Mapping[dg.AssetKey, Trial], code_version: str
) -> dg.AssetsDefinition:
    """Return the asset that chooses among the trials, and records all of them in MLflow."""
    key = dg.AssetKey([pipeline, "fine_tuned_model"])

    @dg.asset(
        key=key,
        deps=list(tried),
        kinds={"pytorch", "mlflow"},
        code_version=code_version,
        description=f"The best of {len(tried)} trials by eval loss; all of them are in MLflow.",
    )
    def fine_tuned_model(
        context: dg.AssetExecutionContext,
        store: ArtifactStore,
        experiment_tracker: ExperimentTracker,
    ) -> dg.MaterializeResult:
        models = [store.latest(context, trial_key) for trial_key in tried]
        manifests = [model.json("manifest.json") for model in models]
        chosen = best(manifests)
        for trial, manifest in zip(tried.values(), manifests, strict=True):
            experiment_tracker.record(f"{pipeline} sweep", _record(trial, manifest))
        rows = [
            {"trial": t.name, **t.settings, "eval_loss": eval_loss(m), "seconds": m["seconds"]}
            for t, m in zip(tried.values(), manifests, strict=True)
        ]
        return Artifact(key, models[chosen].version, models[chosen].path).result(
            **shown(summary(manifests[chosen])),
            best_trial=rows[chosen]["trial"],
            trials=table_preview(rows, len(rows)),
        )

    return fine_tuned_model


def _record(trial: Trial, manifest: Mapping[str, Any]) -> RunRecord:
    """Return what MLflow keeps of a trial."""
    return RunRecord(
        name=f"{trial.name}: {trial.described()}",
        key=f"{trial.name} {manifest['run_key']}",
        tags={"run_key": manifest["run_key"], "weights_hash": manifest["weights_hash"]},
        parameters=dict(trial.settings),
        metrics={"eval_loss": eval_loss(manifest), "seconds": manifest["seconds"]},
        history=manifest["history"],
    )
