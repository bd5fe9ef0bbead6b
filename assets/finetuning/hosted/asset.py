"""fine_tuned_model where a service trains: the files go there, and the model's id comes back."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg

from assets.charts import lines
from assets.finetuning.config import FinetuningConfig
from assets.finetuning.hosted.files import SERVICE_METHODS
from assets.finetuning.hosted.order import VERSION, Order, order, write_files, write_model
from assets.fit import curve, fit_verdict
from assets.records import Sample, content_hash
from resources.artifact_store import Artifact, ArtifactStore
from resources.check_records import require_passed
from resources.hosted_job import HostedJob
from resources.hosted_tuning import HostedTuning
from resources.presentation import picture


def build(
    pipeline: str, config: FinetuningConfig, fence: Sequence[dg.AssetCheckKey]
) -> list[dg.AssetsDefinition]:
    """Return fine_tuned_model for one pipeline; only what has passed `fence` leaves."""
    key = dg.AssetKey([pipeline, "fine_tuned_model"])
    upstream = [dg.AssetKey([pipeline, n]) for n in ("validated_samples", "training_examples")]

    @dg.asset(
        key=key,
        deps=upstream,
        kinds={"openai", config.method},
        code_version=content_hash([VERSION, config.model_dump(mode="json")]),
        description=f"{config.base_model} tuned by {config.objective} at a hosted service.",
    )
    def fine_tuned_model(
        context: dg.AssetExecutionContext, store: ArtifactStore, hosted_tuning: HostedTuning
    ) -> dg.MaterializeResult:
        require_passed(context, fence)
        samples, examples = (store.latest(context, asset) for asset in upstream)
        asked = _order(config, samples, examples)
        model = Artifact(key, asked.run_key, store.folder(key, asked.run_key))
        if (model.path / "manifest.json").exists():
            context.log.info(f"{asked.run_key} already stands: nothing is sent")
        else:
            context.log.info(
                f"estimated at ${asked.expected.cost_usd:.4f}: {asked.expected.method}"
            )
            with TemporaryDirectory() as folder:
                tuned = hosted_tuning.tune(_job(pipeline, asked, Path(folder)), context.log.info)
                inputs = {asset.key.path[-1]: asset.version for asset in (samples, examples)}
                write_model(asked, asdict(tuned), inputs, Path(folder))
                store.publish_files(key, asked.run_key, Path(folder))
        manifest = model.json("manifest.json")
        return Artifact(key, manifest["weights_hash"], model.path).result(**_metadata(manifest))

    return [fine_tuned_model]


def _order(config: FinetuningConfig, samples: Artifact, examples: Artifact) -> Order:
    rows = [Sample.from_row(row) for row in samples.rows()]
    try:
        return order(config, rows, examples.json("template.json"))
    except ValueError as error:
        raise dg.Failure(str(error), allow_retries=False) from None


def _job(pipeline: str, asked: Order, folder: Path) -> HostedJob:
    training, validation = write_files(asked, folder)
    return HostedJob(
        run_key=asked.run_key,
        model=asked.config.base_model,
        method=SERVICE_METHODS[asked.config.objective],
        hyperparameters=asked.hyperparameters,
        training_file=training,
        validation_file=validation,
        seed=asked.config.seed,
        name=pipeline,
        estimated_cost_usd=asked.expected.cost_usd,
        max_cost_usd=asked.config.options("method").max_cost_usd,
    )


def _metadata(manifest: dict[str, Any]) -> dict[str, Any]:
    history = manifest["history"]
    losses = {"loss": curve(history, "loss"), "eval_loss": curve(history, "eval_loss")}
    last = {f"final_{name}": points[-1][1] for name, points in losses.items() if points}
    curves = {"curve": picture(lines(losses, "Loss while training", "step", "loss"))}
    return {
        **last,
        "verdict": fit_verdict(history),
        "hosted_model": manifest["hosted_model"],
        "job_id": manifest["job_id"],
        "cost_usd": manifest["cost_usd"],
        "estimated_cost_usd": manifest["estimated_cost_usd"],
        "seconds": manifest["seconds"],
        **(curves if last else {}),
        "settings": dg.MetadataValue.json(manifest["settings"]),
    }
