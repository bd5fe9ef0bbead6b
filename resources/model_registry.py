"""The model registry: one registered model a pipeline, and who is its champion.

models:/linkedin_writer@champion     in service
models:/linkedin_writer@challenger   registered, and held by the gate
models:/linkedin_writer@previous     the champion before this one
"""

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from resources.mlflow_connection import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow import MlflowClient
    from mlflow.models import ModelSignature

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
WEIGHTS_HASH, ARTIFACT = "weights_hash", "artifact"  # tags that every version carries


@dataclass(frozen=True)
class ChampionModel:
    """The model in service."""

    version: str
    folder: str  # the published `fine_tuned_model` that it was registered from
    weights_hash: str


class ModelRegistry(dg.ConfigurableResource):
    """MLflow's registry; each step is one transaction, so that a crash leaves something to mend."""

    tracking_uri: str

    def champion(self, name: str) -> ChampionModel | None:
        """Return the model in service, None where there is none yet."""
        client = connect(self.tracking_uri)
        version = _aliases(client, name).get(CHAMPION)
        if version is None:
            return None
        tags = client.get_model_version(name, version).tags
        return ChampionModel(version, tags[ARTIFACT], tags[WEIGHTS_HASH])

    def needed_champion(self, name: str) -> ChampionModel:
        """Return the model in service; a dg.Failure says what to do where there is none."""
        champion = self.champion(name)
        if champion is None:
            raise dg.Failure(
                f"pipeline {name} has no champion yet: materialize its registered_model first",
                allow_retries=False,
            )
        return champion

    def located(self, base_model: str) -> str:
        """Return `base_model`, for `pipeline:NAME` the folder of its champion's whole weights."""
        if not base_model.startswith("pipeline:"):
            return base_model
        name = base_model.removeprefix("pipeline:")
        folder = Path(self.needed_champion(name).folder) / "model"
        if not (folder / "config.json").exists():
            raise dg.Failure(
                f"the champion of {name} is no base model by itself: it lies at a service, or is "
                "an adapter; for that one set merge_adapter: true in its finetuning: section",
                allow_retries=False,
            )
        return str(folder)

    def version_of(self, name: str, weights_hash: str) -> str | None:
        """Return the version that holds these weights, None where they are not registered."""
        found = connect(self.tracking_uri).search_model_versions(f"name = '{name}'")
        same = [int(v.version) for v in found if v.tags.get(WEIGHTS_HASH) == weights_hash]
        return str(min(same)) if same else None

    def register(
        self,
        name: str,
        run_id: str,
        *,
        code: Path,
        code_paths: Sequence[Path],
        artifacts: Mapping[str, Path],
        signature: "ModelSignature",
        pip_requirements: Sequence[str],
        tags: Mapping[str, str],
        description: str,
    ) -> str:
        """Log the model under the run and return its new version, created whole with its tags.

        `code` is the file that serves it (models from code): nothing is pickled. It can import what
        lies at `code_paths`.
        """
        import mlflow

        client = connect(self.tracking_uri)
        experiment = client.get_run(run_id).info.experiment_id
        model = client.create_logged_model(experiment, name=name, source_run_id=run_id)
        with _without_hints_of_mlflow():
            mlflow.pyfunc.log_model(
                model_id=model.model_id,
                python_model=str(code),
                code_paths=[str(path) for path in code_paths],
                artifacts={key: str(path) for key, path in artifacts.items()},
                signature=signature,
                pip_requirements=list(pip_requirements),
            )
        if not client.search_registered_models(f"name = '{name}'"):
            client.create_registered_model(name)
        version = client.create_model_version(
            name,
            source=f"models:/{model.model_id}",
            run_id=run_id,
            tags=dict(tags),
            description=description,
            model_id=model.model_id,
        )
        return str(version.version)

    def describe(self, name: str, version: str, description: str) -> None:
        """Replace a version's description."""
        connect(self.tracking_uri).update_model_version(name, version, description)

    def promote(self, name: str, version: str) -> None:
        """Put the version into service; the old champion stays reachable as `previous`."""
        client = connect(self.tracking_uri)
        aliases = _aliases(client, name)
        old = aliases.get(CHAMPION)
        if old != version:
            if old is not None:  # first, so that a crash between the two loses no champion
                client.set_registered_model_alias(name, PREVIOUS, old)
            client.set_registered_model_alias(name, CHAMPION, version)
        if aliases.get(CHALLENGER) == version:
            client.delete_registered_model_alias(name, CHALLENGER)

    def challenge(self, name: str, version: str) -> None:
        """Keep the version beside the champion, out of service."""
        client = connect(self.tracking_uri)
        if _aliases(client, name).get(CHALLENGER) != version:
            client.set_registered_model_alias(name, CHALLENGER, version)


def _aliases(client: "MlflowClient", name: str) -> dict[str, str]:
    found = client.search_registered_models(f"name = '{name}'")
    return {alias: str(v) for alias, v in found[0].aliases.items()} if found else {}


@contextmanager
def _without_hints_of_mlflow() -> "Iterator[None]":
    """Silence the advice to give an input example, on which MLflow would run the whole model."""
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"[\s\S]*input example")
        yield
