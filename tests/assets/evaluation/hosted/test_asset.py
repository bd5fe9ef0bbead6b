"""A hosted model from its tuning to its registered version, over real HTTP on loopback."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.evaluation.asset import build as evaluation
from assets.evaluation.config import EvaluationConfig
from assets.finetuning.asset import build as finetuning
from assets.finetuning.config import FinetuningConfig
from assets.registration.asset import build as registration
from assets.registration.config import RegistrationConfig
from resources.artifact_store import ArtifactStore
from resources.experiment_tracker import ExperimentTracker
from resources.hosted_tuning import HostedTuning
from resources.model_registry import ModelRegistry
from resources.teacher_model import TeacherModel
from tests.assets.finetuning.hosted.test_asset import KEY, MODEL, refusal, service, upstream
from tests.assets.finetuning.hosted.test_files import CHAT, samples
from tests.tuning_server import Service

__all__ = ["service"]  # the fixture


@dataclass
class Line:
    """One pipeline from its validated samples to its registered model."""

    root: Path
    instance: dg.DagsterInstance
    gate: dict[str, Any] = field(default_factory=dict)

    def run(self, only: str = "") -> dg.ExecuteInProcessResult:
        config = FinetuningConfig.model_validate(
            {"objective": "sft", "method": "hosted", "base_model": MODEL}
        )
        uri = f"sqlite:///{self.root}/mlflow.db"
        return dg.materialize(
            [
                *upstream(samples(CHAT)),
                *finetuning("p", config, []),
                *evaluation("p", EvaluationConfig.model_validate({"style_prompts": 3}), True),
                *registration("p", RegistrationConfig.model_validate({"gate": self.gate}), []),
            ],
            instance=self.instance,
            resources={
                "store": ArtifactStore(root=str(self.root / "store")),
                "hosted_tuning": HostedTuning(
                    ledger_path=str(self.root / "jobs.db"), poll_seconds=0.001
                ),
                "teacher_model": TeacherModel(cache_path=str(self.root / "cache.db")),
                "experiment_tracker": ExperimentTracker(
                    tracking_uri=uri, artifact_root=str(self.root / "mlflow")
                ),
                "model_registry": ModelRegistry(tracking_uri=uri),
            },
            selection=f'key:"p/{only}"' if only else None,
            raise_on_error=False,
        )


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Line(tmp_path, instance)


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    assert result.success, refusal(result)
    [event] = result.asset_materializations_for_node(f"p__{asset}")
    return {name: value.value for name, value in event.metadata.items()}


def like_people(asked: dict[str, Any]) -> str:
    return CHAT["completion"] if asked["model"].startswith("ft:") else "Great question! 🎉 #data?"


@pytest.mark.slow
def test_a_hosted_model_is_asked_compared_registered_and_served_without_a_secret(
    line: Line, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    service.answer = like_people
    made = line.run()
    report = metadata(made, "evaluation_report")
    assert report["tuned_style_distance"] == 0 < report["base_style_distance"]
    assert "look closer to people's than the base model's" in report["verdict"]
    assert [(a["model"] == MODEL, "response_format" in a) for a in service.asked] == [
        *[(True, False)] * 3,
        *[(False, False)] * 3,
    ]
    assert service.asked[0]["messages"][0] == {"role": "system", "content": "You write posts."}
    registered = metadata(made, "registered_model")
    assert registered["promoted"] == 0
    assert registered["reason"].startswith("held: a model at a service is compared by how")
    again = line.run("evaluation_report")
    assert metadata(again, "evaluation_report") == report
    assert len(service.asked) == 6

    mlflow.set_tracking_uri(f"sqlite:///{line.root}/mlflow.db")
    version = mlflow.MlflowClient().get_model_version_by_alias("p", "challenger")
    assert version.tags["hosted_model"].startswith(f"ft:{MODEL}")
    served = mlflow.pyfunc.load_model("models:/p@challenger")
    assert list(served.predict(["slow backfills"])["text"]) == [CHAT["completion"]]
    kept = [p for p in line.root.rglob("*") if p.is_file() and KEY.encode() in p.read_bytes()]
    assert kept == []

    line.gate = {"metric": "style_distance"}
    promoted = metadata(line.run("registered_model"), "registered_model")
    assert promoted["reason"].startswith("promoted: style_distance 0.000 beats the base")


def test_without_an_answer_of_every_model_there_is_no_report(line: Line, service: Service) -> None:
    service.answer = lambda asked: like_people(asked) if asked["model"] == MODEL else ""
    said = refusal(line.run())
    assert "no test prompt was answered by every model" in said


def test_another_benchmark_than_the_style_of_answers_is_refused_at_load() -> None:
    with pytest.raises(ValueError, match="compared by style_profile alone"):
        evaluation("p", EvaluationConfig(benchmarks=("held_out_loss",)), True)
