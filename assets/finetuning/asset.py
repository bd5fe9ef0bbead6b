"""fine_tuned_model: the training job, fenced by its inputs' checks, and what it published."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from assets.discovery import find
from assets.finetuning.adapters.asset import combined
from assets.finetuning.adapters.routing import adapter_weights
from assets.finetuning.config import METHODS, OBJECTIVES, FinetuningConfig
from assets.finetuning.hosted import asset as hosted
from assets.finetuning.summary import summary
from assets.finetuning.sweep.asset import best_of
from assets.finetuning.sweep.trials import trials
from assets.models import parse_base_model
from assets.records import content_hash
from resources.artifact_store import Artifact, ArtifactStore
from resources.check_records import require_passed
from resources.launcher import Launcher
from resources.model_registry import ChampionModel, ModelRegistry
from resources.presentation import shown

VERSION = "4"


def build(
    pipeline: str, config: FinetuningConfig, fence: Sequence[dg.AssetCheckKey]
) -> list[dg.AssetsDefinition]:
    """Return fine_tuned_model for one pipeline; what is trained has passed `fence`.

    A sweep's trials, or several adapters, are assets of their own before it.
    """
    if config.hosted:
        return hosted.build(pipeline, config, fence)
    key = dg.AssetKey([pipeline, "fine_tuned_model"])
    tried = {dg.AssetKey([pipeline, trial.name]): trial for trial in trials(config)}
    if tried:
        made = [_trained(pipeline, k, t.config, fence, t.described()) for k, t in tried.items()]
        return [*made, best_of(pipeline, tried, _code_version(config))]
    described = f"{config.base_model} tuned by {config.objective} with {config.method}."
    if weights := adapter_weights(config):
        return _adapters(pipeline, config, fence, weights, described)
    return [_trained(pipeline, key, config, fence, described)]


def _adapters(
    pipeline: str,
    config: FinetuningConfig,
    fence: Sequence[dg.AssetCheckKey],
    weights: Mapping[str, float],
    described: str,
) -> list[dg.AssetsDefinition]:
    """Return one training for each route, and fine_tuned_model that puts them on one base."""
    by = str(config.adapters_by)
    routes = {dg.AssetKey([pipeline, f"adapter_{route}"]): route for route in weights}
    made = [
        _trained(pipeline, key, config, fence, f"{described} Only rows of {by} {route}.", route)
        for key, route in routes.items()
    ]
    return [*made, combined(pipeline, routes, weights, by, _code_version(config))]


def _trained(
    pipeline: str,
    key: dg.AssetKey,
    config: FinetuningConfig,
    fence: Sequence[dg.AssetCheckKey],
    description: str,
    route: str | None = None,
) -> dg.AssetsDefinition:
    """Return the asset that holds what one training published; a `route` limits it to its rows."""
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
        together = launcher.num_processes  # more of them learn from more rows a step
        others_too = [route, *sorted(weights.items()), *([together] if together > 1 else [])]
        run_key = content_hash([examples.version, code_version, *others_too])
        output = store.folder(key, run_key)
        base_model = model_registry.located(config.base_model)
        averaged = {model_registry.located(m): s for m, s in (config.average_with or {}).items()}
        job = _job(config, examples, champions, base_model, averaged) | {
            "run_key": run_key,
            "code_version": code_version,
            "output_dir": str(output),
            "route": route,
            "base_models_dir": str(store.folder(dg.AssetKey([pipeline]), "base_models")),
        }
        manifest = launcher.run(context, "assets.finetuning.run", job, together)
        return Artifact(key, manifest["weights_hash"], output).result(**shown(summary(manifest)))

    return trained


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
    averaged: Mapping[str, float],
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
        "finishing": config.finishing() | {"average_with": averaged},
    }


def _teacher(config: FinetuningConfig, champions: Mapping[str, ChampionModel]) -> str | None:
    """Return what the model learns from: the folder of another pipeline's champion, or a base."""
    named = config.teacher_model()
    base = parse_base_model(named) if named else None
    return champions[base.name].folder if base and base.kind == "pipeline" else named
