"""fine_tuned_model at a service, through Dagster and over real HTTP on loopback."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.finetuning.asset import build
from assets.finetuning.config import FinetuningConfig
from assets.records import Sample, content_hash, to_rows
from resources.artifact_store import ArtifactStore
from resources.check_records import blocking_result
from resources.hosted_tuning import HostedTuning
from tests.assets.finetuning.hosted.test_files import CHAT, PAIR, samples
from tests.loopback import Broken
from tests.teacher_server import failure
from tests.tuning_server import Service, tuning_server

KEY = "sk-secret-1"
MODEL = "gpt-4.1-mini-2025-04-14"
CHECK = dg.AssetCheckKey(dg.AssetKey(["p", "training_examples"]), "preflight")


@dataclass
class Line:
    """One pipeline from its validated samples on, with its own instance and store."""

    root: Path
    instance: dg.DagsterInstance
    objective: str = "sft"
    fields: dict[str, str] = field(default_factory=lambda: CHAT)

    def run(self, **section: object) -> dg.ExecuteInProcessResult:
        rows = samples(self.fields)
        config = {"objective": self.objective, "method": "hosted", "base_model": MODEL, **section}
        tuned = build("p", FinetuningConfig.model_validate(config), [CHECK])
        return dg.materialize(
            [*upstream(rows), *tuned],
            instance=self.instance,
            resources={
                "store": ArtifactStore(root=str(self.root / "store")),
                "hosted_tuning": HostedTuning(
                    ledger_path=str(self.root / "hosted_jobs.db"), poll_seconds=0.001
                ),
            },
            raise_on_error=False,
        )

    def log(self) -> str:
        """Return all that Dagster has written down of every run."""
        runs = self.instance.get_run_ids()
        return "\n".join(str(entry) for run in runs for entry in self.instance.all_logs(run))


def upstream(rows: list[Sample]) -> list[Any]:
    keys = [dg.AssetKey(["p", name]) for name in ("validated_samples", "training_examples")]

    @dg.asset(key=keys[0])
    def validated_samples(store: ArtifactStore) -> dg.MaterializeResult:
        return store.publish_rows(keys[0], content_hash(to_rows(rows)), rows=to_rows(rows)).result()

    @dg.asset(key=keys[1], deps=keys[:1])
    def training_examples(store: ArtifactStore) -> dg.MaterializeResult:
        folder = Path(store.root) / "rendered"
        folder.mkdir(exist_ok=True)
        template = {"kind": "chat", "system": "You write posts.", "template_hash": "t"}
        (folder / "template.json").write_text(json.dumps(template))
        splits = [{"id": sample.id, "split": sample.split} for sample in rows]
        return store.publish_files(keys[1], "v1", folder, rows=splits).result()

    @dg.asset_check(asset=keys[1], blocking=True)
    def preflight() -> dg.AssetCheckResult:
        return blocking_result(True, "v1", "ready")

    return [validated_samples, training_examples, preflight]


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Line(tmp_path, instance)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    with tuning_server() as service:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_BASE_URL", service.base_url)
        yield service


def tuned(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    assert result.success
    [event] = result.asset_materializations_for_node("p__fine_tuned_model")
    return {name: value.value for name, value in event.metadata.items()}


def refusal(result: dg.ExecuteInProcessResult) -> str:
    [event] = result.get_step_failure_events()
    failed = event.step_failure_data.user_failure_data
    return str(failed.description if failed else event.step_failure_data.error)


def test_a_model_is_published_by_its_id_with_events_in_the_log_and_asked_for_once(
    line: Line, service: Service
) -> None:
    made = tuned(line.run(n_epochs=2))
    manifest = json.loads((Path(made["artifact"]) / "manifest.json").read_text())
    assert made["hosted_model"] == manifest["hosted_model"]
    assert manifest["hosted_model"].startswith(f"ft:{MODEL}:org:p-")
    assert manifest["weights_hash"] == content_hash(manifest["hosted_model"])
    assert (manifest["model_kind"], manifest["base_model"]["kind"]) == ("hosted", "hosted")
    assert manifest["cost_usd"] == pytest.approx(300 * 5 / 1e6)  # what was trained, as it is billed
    assert (made["final_loss"], made["final_eval_loss"]) == (1.5, 1.75)
    assert len(manifest["row_ids"]["train"]) == 10
    uploads = [upload["file"].decode() for upload in service.uploads]
    assert "You write posts." in uploads[0]
    assert not any("test 0" in upload for upload in uploads)
    said = line.log()
    assert "ftjob-0: Step 1: training loss=2" in said
    assert KEY not in said + json.dumps(manifest)
    before = len(service.requests)
    assert tuned(line.run(n_epochs=2, max_cost_usd=9)) == made
    assert len(service.requests) == before


def test_preferences_are_tuned_by_dpo(line: Line, service: Service) -> None:
    line.objective, line.fields = "dpo", PAIR
    made = tuned(line.run(beta=0.2))
    [created] = service.created
    assert created["method"]["dpo"]["hyperparameters"] == {"n_epochs": 3, "beta": 0.2}
    assert made["settings"]["beta"] == 0.2


@pytest.mark.parametrize(
    ("ending", "reason"),
    [("failed", "failed: invalid_file too short"), ("cancelled", "was cancelled at the service")],
)
def test_a_job_that_comes_to_nothing_fails_the_asset_and_the_next_run_asks_again(
    line: Line, service: Service, ending: str, reason: str
) -> None:
    service.ending = ending
    service.error = {"code": "invalid_file", "message": "too short", "param": None}
    assert reason in refusal(line.run())
    assert not list((line.root / "store" / "p").glob("fine_tuned_model/*"))
    service.ending = "succeeded"
    assert tuned(line.run())["job_id"] == "ftjob-1"


def test_a_job_whose_creation_was_never_answered_is_gone_on_with_by_the_next_run(
    line: Line, service: Service
) -> None:
    def cut_off(moment: str) -> None:
        if moment == "after create":
            raise Broken(None)
        if moment == "list" and service.created:
            raise Broken(failure(503, retry_after_ms="1"))

    service.on = cut_off
    assert not line.run().success
    service.on = lambda moment: None
    assert tuned(line.run())["job_id"] == "ftjob-0"
    assert len(service.created) == 1


def test_a_job_over_its_cap_sends_nothing(line: Line, service: Service) -> None:
    assert "over max_cost_usd $0.00. Nothing was uploaded" in refusal(line.run(max_cost_usd=0.0001))
    assert [request for request in service.requests if request.startswith("POST")] == []


def test_samples_that_a_service_would_refuse_are_not_sent(line: Line, service: Service) -> None:
    line.objective, line.fields = "dpo", {**PAIR, "rejected": PAIR["chosen"]}
    assert "12 samples have one text twice" in refusal(line.run())
    assert service.requests == []


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"learning_rate": 0.1}, "does not heed learning_rate; it heeds seed, n_epochs"),
        ({"base_model": "scratch"}, "base_model 'scratch' lies here"),
        ({"base_model": "qwen"}, "no price of training is known for 'qwen'"),
        ({"beta": 0.1}, "beta is of dpo"),
        ({"objective": "classify"}, "a hosted service trains sft and dpo, and nothing else"),
    ],
)
def test_what_a_service_cannot_be_asked_is_refused_at_load(
    section: dict[str, object], message: str
) -> None:
    named = {"objective": "sft", "method": "hosted", "base_model": MODEL, **section}
    with pytest.raises(ValueError, match=message):
        FinetuningConfig.model_validate(named)
