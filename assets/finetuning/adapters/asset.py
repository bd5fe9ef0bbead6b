"""fine_tuned_model where several adapters come before it: all of them on one base."""

from collections.abc import Mapping

import dagster as dg

from assets.finetuning.summary import summary
from assets.records import content_hash
from resources.artifact_store import Artifact, ArtifactStore
from resources.launcher import Launcher
from resources.presentation import shown, table_preview


def combined(
    pipeline: str,
    adapters: Mapping[dg.AssetKey, str],
    weights: Mapping[str, float],
    adapters_by: str,
    code_version: str,
) -> dg.AssetsDefinition:
    """Return the asset of all adapters and their average.

    Args:
        pipeline: its name.
        adapters: asset of an adapter -> the route that it is for.
        weights: route -> weight in the average.
        adapters_by: the field of a row that names its route.
        code_version: of the training's configuration.
    """
    key = dg.AssetKey([pipeline, "fine_tuned_model"])

    @dg.asset(
        key=key,
        deps=list(adapters),
        kinds={"pytorch", "lora"},
        pool="heavy",
        code_version=code_version,
        description=f"One adapter for each {adapters_by} and their average, on one base.",
    )
    def fine_tuned_model(
        context: dg.AssetExecutionContext, store: ArtifactStore, launcher: Launcher
    ) -> dg.MaterializeResult:
        made = {route: store.latest(context, asset) for asset, route in adapters.items()}
        run_key = content_hash([code_version, {r: m.version for r, m in made.items()}])
        output = store.folder(key, run_key)
        parts = {r: {"folder": str(m.path), "weight": weights[r]} for r, m in made.items()}
        job = {
            "run_key": run_key,
            "code_version": code_version,
            "output_dir": str(output),
            "adapters_by": adapters_by,
            "adapters": parts,
        }
        manifest = launcher.run(context, "assets.finetuning.adapters.run", job)
        rows = [{"adapter": route, "weight": weights[route]} for route in made]
        return Artifact(key, manifest["weights_hash"], output).result(
            **shown(summary(manifest)), adapters=table_preview(rows, len(rows))
        )

    return fine_tuned_model
