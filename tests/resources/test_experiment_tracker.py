from pathlib import Path

import pytest

from resources.experiment_tracker import DataInput, ExperimentTracker, RunRecord
from resources.mlflow_connection import connect


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> ExperimentTracker:
    root = tmp_path_factory.mktemp("mlflow")
    return ExperimentTracker(
        tracking_uri=f"sqlite:///{root}/new/mlflow.db", artifact_root=str(root / "artifacts")
    )


def record(key: str, **changes: object) -> RunRecord:
    values = {
        "name": "writer",
        "key": key,
        "tags": {"pipeline": "writer"},
        "parameters": {"settings": {"learning_rate": 0.1}, "seed": 0},
        "metrics": {"tuned_acc,none": 0.5},
        "history": [{"step": 1, "loss": 3.0}, {"step": 2, "loss": 2.0}],
        "inputs": [DataInput("training_examples", "abc123", Path("/data/abc123"))],
        "texts": {"card.md": "# writer"},
    }
    return RunRecord(**{**values, **changes})  # type: ignore[arg-type]


def test_a_run_keeps_all_that_it_is_told(
    tracker: ExperimentTracker, capfd: pytest.CaptureFixture[str]
) -> None:
    logged = tracker.record("keeps", record("k1"))
    client = connect(tracker.tracking_uri)
    run = client.get_run(logged.run_id)
    assert run.data.params == {"settings.learning_rate": "0.1", "seed": "0"}
    assert run.data.metrics == {"tuned_acc_none": 0.5, "loss": 2.0}
    points = client.get_metric_history(logged.run_id, "loss")
    assert [(p.step, p.value) for p in points] == [(1, 3.0), (2, 2.0)]
    assert run.inputs is not None
    [data] = run.inputs.dataset_inputs
    assert (data.dataset.name, data.dataset.digest) == ("training_examples", "abc123")
    assert [f.path for f in client.list_artifacts(logged.run_id)] == ["card.md"]
    assert "mlflow.user" not in run.data.tags
    assert run.info.artifact_uri is not None and "/artifacts/keeps/" in run.info.artifact_uri
    assert "".join(capfd.readouterr()) == ""


def test_the_same_record_is_written_once(tracker: ExperimentTracker) -> None:
    first = tracker.record("once", record("k1"))
    assert tracker.record("once", record("k1")) == first
    assert tracker.record("once", record("k2")) != first


def test_a_run_that_broke_off_is_failed_and_written_anew(
    tracker: ExperimentTracker, tmp_path: Path
) -> None:
    with pytest.raises(OSError, match=r"report\.html"):
        tracker.record("broken", record("k1", files=[tmp_path / "report.html"]))
    logged = tracker.record("broken", record("k1"))
    client = connect(tracker.tracking_uri)
    experiment = client.get_run(logged.run_id).info.experiment_id
    assert sorted(r.info.status for r in client.search_runs([experiment])) == ["FAILED", "FINISHED"]


def test_the_link_leads_to_the_address_of_the_environment(
    tracker: ExperimentTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNELINE_MLFLOW_URL", "https://mlflow.example/")
    logged = tracker.record("link", record("k1"))
    assert logged.url.startswith("https://mlflow.example/#/experiments/")
    assert logged.url.endswith(f"/runs/{logged.run_id}")
