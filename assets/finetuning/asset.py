"""fine_tuned_model: the training job, fenced by its inputs' checks, and what it published."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from assets.charts import lines
from assets.discovery import find
from assets.finetuning.config import METHODS, OBJECTIVES, FinetuningConfig
from assets.finetuning.hosted import asset as hosted
from assets.finetuning.sweep import Trial, best, eval_loss, trials
from assets.fit import curve, fit_verdict
from assets.models import parse_base_model
from assets.records import content_hash
from resources.artifact_store import Artifact, ArtifactStore
from resources.check_records import require_passed
from resources.experiment_tracker import ExperimentTracker, RunRecord
from resources.launcher import Launcher
from resources.model_registry import ChampionModel, ModelRegistry
from resources.presentation import picture, table_preview

VERSION = "2"


def build(
    pipeline: str, config: FinetuningConfig, fence: Sequence[dg.AssetCheckKey]
) -> list[dg.AssetsDefinition]:
    """Return fine_tuned_model for one pipeline, with a sweep its trials before it.

    What is trained has passed `fence`.
    """
    if config.hosted:
        return hosted.build(pipeline, config, fence)
    key = dg.AssetKey([pipeline, "fine_tuned_model"])
    tried = {dg.AssetKey([pipeline, trial.name]): trial for trial in trials(config)}
    if not tried:
        described = f"{config.base_model} tuned by {config.objective} with {config.method}."
        return [_trained(pipeline, key, config, fence, described)]
    made = [_trained(pipeline, k, t.config, fence, t.described()) for k, t in tried.items()]
    return [*made, _best_of(pipeline, key, config, tried)]


def _trained(
    pipeline: str,
    key: dg.AssetKey,
    config: FinetuningConfig,
    fence: Sequence[dg.AssetCheckKey],
    description: str,
) -> dg.AssetsDefinition:
    """Return the asset that holds what one training published."""
    others = config.other_pipelines()
    examples_key = dg.AssetKey([pipeline, "training_examples"])
    code_version = _code_version(config)

    @dg.asset(
        key=key,
        deps=[examples_key, *(dg.AssetKey([other, "registered_model"]) for other in others)],
        kinds={"pytorch", config.method},
        pool="heavy",
        code_version=code_version,
        description=description,
    )
    def trained(
        context: dg.AssetExecutionContext,
        store: ArtifactStore,
        launcher: Launcher,
        model_registry: ModelRegistry,
    ) -> dg.MaterializeResult:
        require_passed(context, fence)
        examples = store.latest(context, examples_key)
        champions = {other: model_registry.needed_champion(other) for other in others}
        weights = {other: champion.weights_hash for other, champion in champions.items()}
        run_key = content_hash([examples.version, code_version, *sorted(weights.items())])
        output = store.folder(key, run_key)
        base_model = model_registry.located(config.base_model)
        job = _job(config, examples, champions, base_model) | {
            "run_key": run_key,
            "code_version": code_version,
            "output_dir": str(output),
            "base_models_dir": str(store.folder(dg.AssetKey([pipeline]), "base_models")),
        }
        manifest = launcher.run(context, "assets.finetuning.run", job)
        return Artifact(key, manifest["weights_hash"], output).result(**_metadata(manifest))

    return trained


def _best_of(
    pipeline: str, key: dg.AssetKey, config: FinetuningConfig, tried: Mapping[dg.AssetKey, Trial]
) -> dg.AssetsDefinition:
    """Return fine_tuned_model where a sweep comes before it: the best trial's model, as it is."""

    @dg.asset(
        key=key,
        deps=list(tried),
        kinds={"pytorch", config.method, "mlflow"},
        code_version=_code_version(config),
        description=f"The best of {len(tried)} trials by eval loss; all of them are in MLflow.",
    )
    def best_of_the_sweep(
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
            **_metadata(manifests[chosen]),
            best_trial=rows[chosen]["trial"],
            trials=table_preview(rows),
        )

    return best_of_the_sweep


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


def _code_version(config: FinetuningConfig) -> str:
    plugins = [find(OBJECTIVES, config.objective).VERSION, find(METHODS, config.method).VERSION]
    options = [_options(config, plugged) for plugged in config.plugged]
    return content_hash([VERSION, plugins, config.model_dump(mode="json"), options])


def _options(config: FinetuningConfig, plugged: str) -> dict[str, Any]:
    return config.options(plugged).model_dump(mode="json")


def _job(
    config: FinetuningConfig,
    examples: Artifact,
    champions: Mapping[str, ChampionModel],
    base_model: str,
) -> dict[str, Any]:
    return {
        "examples_dir": str(examples.path),
        "inputs": {
            "training_examples": examples.version,
            **{f"champion of {name}": c.weights_hash for name, c in sorted(champions.items())},
        },
        "objective": config.objective,
        "objective_options": _options(config, "objective"),
        "method": config.method,
        "method_options": _options(config, "method"),
        "base_model": base_model,
        "teacher_model": _teacher(config, champions),
        "scratch": config.scratch.model_dump(),
        "settings": config.training_arguments(),
        "finishing": config.finishing(),
    }


def _teacher(config: FinetuningConfig, champions: Mapping[str, ChampionModel]) -> str | None:
    """Return what the model learns from: the folder of another pipeline's champion, or a base."""
    named = config.teacher_model()
    base = parse_base_model(named) if named else None
    return champions[base.name].folder if base and base.kind == "pipeline" else named


def _metadata(manifest: dict[str, Any]) -> dict[str, Any]:
    history = manifest["history"]
    losses = {"loss": curve(history, "loss"), "eval_loss": curve(history, "eval_loss")}
    last = {f"final_{name}": points[-1][1] for name, points in losses.items() if points}
    return {
        **last,
        "verdict": fit_verdict(history),
        "trainable_parameters": manifest["parameters"]["trainable"],
        "total_parameters": manifest["parameters"]["total"],
        "seconds": manifest["seconds"],
        "peak_memory_mb": manifest["peak_memory_mb"],
        "curve": picture(lines(losses, "Loss while training", "step", "loss")),
        **_curves(history),
        **_findings(manifest),
        "settings": dg.MetadataValue.json(manifest["settings"]),
        **_finished(manifest),
    }


def _curves(history: list[dict[str, float]]) -> dict[str, Any]:
    """Return a picture of each other quantity that was read while it trained."""
    titles = {"grad_norm": "Gradient norm", "tokens_per_second": "Tokens a second"}
    titles |= {"memory_mb": "Memory, MiB"}
    read = {name: curve(history, name) for name in titles}
    return {
        f"{name}_curve": picture(lines({name: points}, titles[name], "step", name))
        for name, points in read.items()
        if points
    }


def _findings(manifest: dict[str, Any]) -> dict[str, Any]:
    found = manifest["method_findings"]
    return {"method_findings": dg.MetadataValue.json(found)} if found else {}


def _finished(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return what merging and quantising made of the model, where it was asked for."""
    if not (report := manifest["finished"]):
        return {}
    shown = {name: report[name] for name in ("bytes_before", "bytes_after", "size_ratio")}
    return {**shown, "finished": dg.MetadataValue.json(report)}
