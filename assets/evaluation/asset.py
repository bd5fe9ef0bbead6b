"""evaluation_report: base, tuned, champion and baseline on one frozen test split."""

from typing import Any

import dagster as dg

from assets.evaluation.config import EvaluationConfig
from assets.evaluation.hosted import asset as hosted
from assets.evaluation.report import markdown_table
from assets.questions import question_of
from assets.records import content_hash
from resources.artifact_store import Artifact, ArtifactStore
from resources.launcher import Launcher
from resources.model_registry import ModelRegistry
from resources.presentation import file_link, picture, table_preview

VERSION = "3"  # raise it when the same configuration measures something else
SEED = 0  # of drawing tokens and of the bootstrap; the same for every run, so that runs compare


def build(
    pipeline: str, config: EvaluationConfig, is_hosted: bool = False
) -> list[dg.AssetsDefinition]:
    """Return the asset of this room for one pipeline; a hosted model is asked, not loaded."""
    if is_hosted:
        return hosted.build(pipeline, config)
    key = dg.AssetKey([pipeline, "evaluation_report"])

    @dg.asset(
        key=key,
        deps=[[pipeline, "fine_tuned_model"], [pipeline, "training_examples"]],
        kinds={"lm_eval", "html"},
        pool="heavy",
        code_version=content_hash([VERSION, config.model_dump(mode="json")]),
        description="Base, tuned and champion on one frozen test split, with the same decoding.",
    )
    def evaluation_report(
        context: dg.AssetExecutionContext,
        store: ArtifactStore,
        launcher: Launcher,
        model_registry: ModelRegistry,
    ) -> dg.MaterializeResult:
        model = store.latest(context, dg.AssetKey([pipeline, "fine_tuned_model"]))
        examples = store.latest(context, dg.AssetKey([pipeline, "training_examples"]))
        job = _job(pipeline, config, model, examples, model_registry)
        folder = store.folder(key, job["run_key"])
        manifest = launcher.run(context, "assets.evaluation.run", job | {"output_dir": str(folder)})
        artifact = Artifact(key, manifest["scores_hash"], folder)
        return artifact.result(**_metadata(artifact, manifest))

    return [evaluation_report]


def _job(
    pipeline: str,
    config: EvaluationConfig,
    model: Artifact,
    examples: Artifact,
    registry: ModelRegistry,
) -> dict[str, Any]:
    manifest = model.json("manifest.json")
    options = config.suited(question_of(manifest))
    champion = registry.champion(pipeline)
    if champion is not None and champion.weights_hash == manifest["weights_hash"]:
        champion = None  # this very model: nothing to compare
    inputs = {"fine_tuned_model": model.version, "training_examples": examples.version}
    return {
        "run_key": content_hash(
            [inputs, options, config.samples, champion and champion.weights_hash, SEED, VERSION]
        ),
        "pipeline": pipeline,
        "model_dir": str(model.path),
        "examples_dir": str(examples.path),
        "champion_dir": champion and champion.folder,
        "champion_version": champion and champion.version,
        "benchmarks": list(options),
        "options": options,
        "samples": config.samples,
        "seed": SEED,
        "inputs": inputs,
    }


def _metadata(artifact: Artifact, manifest: dict[str, Any]) -> dict[str, Any]:
    numbers = {
        f"{arm}_{metric}": value
        for arm, metrics in manifest["metrics"].items()
        for metric, value in metrics.items()
    }
    pictures = {
        n: picture((artifact.path / f"{n}.png").read_bytes(), n) for n in manifest["pictures"]
    }
    return {
        **numbers,
        **pictures,
        "verdict": manifest["verdict"],
        "comparison": dg.MetadataValue.md(markdown_table(manifest)),
        "report": file_link(artifact.path / "report.html"),
        "samples": table_preview(manifest["samples"]),
        "test_rows": manifest["test_rows"],
        "seconds": manifest["seconds"],
    }
