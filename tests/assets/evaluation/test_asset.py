import json
from pathlib import Path

import dagster as dg
import pytest

from assets.evaluation.asset import build
from assets.evaluation.config import EvaluationConfig
from resources.artifact_store import ArtifactStore
from resources.launcher import Launcher
from resources.model_registry import ChampionModel, ModelRegistry


class NoChampionYet(ModelRegistry):
    """A registry before the first promotion, without the seconds that MLflow's tables take."""

    def champion(self, name: str) -> ChampionModel | None:
        return None


def upstream(name: str, folder: Path) -> dg.AssetsDefinition:
    key = dg.AssetKey(["tiny", name])

    @dg.asset(key=key)
    def made() -> dg.MaterializeResult:
        metadata = {"artifact": dg.MetadataValue.path(str(folder))}
        return dg.MaterializeResult(
            asset_key=key, data_version=dg.DataVersion(f"v-{name}"), metadata=metadata
        )

    return made


def materialize(root: Path, tmp_path: Path, config: EvaluationConfig) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [
            upstream("fine_tuned_model", root / "model"),
            upstream("training_examples", root / "examples"),
            *build("tiny", config),
        ],
        instance=dg.DagsterInstance.ephemeral(),
        resources={
            "store": ArtifactStore(root=str(tmp_path)),
            "launcher": Launcher(),
            "model_registry": NoChampionYet(tracking_uri="sqlite://"),
        },
        raise_on_error=False,
    )


@pytest.mark.slow
def test_the_report_is_made_in_a_process_of_its_own(
    classifier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TUNELINE_STATE", str(tmp_path))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    result = materialize(classifier, tmp_path, EvaluationConfig())
    assert result.success
    (made,) = result.asset_materializations_for_node("tiny__evaluation_report")
    folder = Path(str(made.metadata["artifact"].value))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert (made.tags or {})["dagster/data_version"] == manifest["scores_hash"]
    assert made.metadata["baseline_roc_auc"].value == 1.0
    assert "| roc_auc |" in str(made.metadata["comparison"].value)
    assert str(made.metadata["report"].value).endswith("/report.html")
    assert "data:image/png" in str(made.metadata["confusion"].value)


def test_a_benchmark_of_another_kind_stops_before_a_process_starts(
    classifier: Path, tmp_path: Path
):
    result = materialize(classifier, tmp_path, EvaluationConfig(benchmarks=("held_out_loss",)))
    (event,) = result.get_step_failure_events()
    assert "does not suit a model of kind 'sequence'" in str(event.step_failure_data.error)
    assert not (tmp_path / "tiny" / "evaluation_report").exists()
