"""fine_tuned_model: the training job, fenced by its inputs' checks, and what it published."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from assets.charts import lines
from assets.discovery import find
from assets.finetuning.config import METHODS, OBJECTIVES, FinetuningConfig
from assets.records import content_hash
from resources.artifact_store import Artifact, ArtifactStore
from resources.check_records import require_passed
from resources.launcher import Launcher
from resources.presentation import picture

VERSION = "1"


def build(
    pipeline: str, config: FinetuningConfig, fence: Sequence[dg.AssetCheckKey]
) -> list[dg.AssetsDefinition]:
    """Return fine_tuned_model for one pipeline; it trains only what has passed `fence`."""
    key = dg.AssetKey([pipeline, "fine_tuned_model"])
    examples_key = dg.AssetKey([pipeline, "training_examples"])
    code_version = _code_version(config)

    @dg.asset(
        key=key,
        deps=[examples_key],
        kinds={"pytorch", config.method},
        pool="heavy",
        code_version=code_version,
        description=f"{config.base_model} tuned by {config.objective} with {config.method}.",
    )
    def fine_tuned_model(
        context: dg.AssetExecutionContext, store: ArtifactStore, launcher: Launcher
    ) -> dg.MaterializeResult:
        require_passed(context, fence)
        examples = store.latest(context, examples_key)
        run_key = content_hash([examples.version, code_version])
        output = store.folder(key, run_key)
        job = _job(config, examples) | {
            "run_key": run_key,
            "code_version": code_version,
            "output_dir": str(output),
            "base_models_dir": str(store.folder(dg.AssetKey([pipeline]), "base_models")),
        }
        manifest = launcher.run(context, "assets.finetuning.run", job)
        return Artifact(key, manifest["weights_hash"], output).result(**_metadata(manifest))

    return [fine_tuned_model]


def _code_version(config: FinetuningConfig) -> str:
    plugins = [find(OBJECTIVES, config.objective).VERSION, find(METHODS, config.method).VERSION]
    return content_hash([VERSION, plugins, config.model_dump(mode="json"), _options(config)])


def _options(config: FinetuningConfig) -> dict[str, Any]:
    return config.options("method").model_dump(mode="json")


def _job(config: FinetuningConfig, examples: Artifact) -> dict[str, Any]:
    return {
        "examples_dir": str(examples.path),
        "inputs": {"training_examples": examples.version},
        "objective": config.objective,
        "method": config.method,
        "options": _options(config),
        "base_model": config.base_model,
        "scratch": config.scratch.model_dump(),
        "settings": config.training_arguments(),
    }


def _metadata(manifest: dict[str, Any]) -> dict[str, Any]:
    history = manifest["history"]
    curves = {
        name: [(entry["step"], entry[name]) for entry in history if name in entry]
        for name in ("loss", "eval_loss")
    }
    last = {f"final_{name}": points[-1][1] for name, points in curves.items() if points}
    return {
        **last,
        "trainable_parameters": manifest["parameters"]["trainable"],
        "total_parameters": manifest["parameters"]["total"],
        "seconds": manifest["seconds"],
        "peak_memory_mb": manifest["peak_memory_mb"],
        "curve": picture(lines(curves, "Loss while training", "step", "loss")),
        "settings": dg.MetadataValue.json(manifest["settings"]),
    }
