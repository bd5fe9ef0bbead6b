"""One tiny writer from raw export to registered model, driven tick by tick as the daemon does."""

import csv
import json
import shutil
from pathlib import Path

import dagster as dg
import pytest

from pipelines.component import FineTuningPipeline, PipelineConfig
from pipelines.environments import ROOT, resources
from tests.pipelines.ticks import Daemon

pytestmark = pytest.mark.slow
SAMPLE = ROOT / "pipelines" / "linkedin_writer" / "sample" / "Shares.csv"
BEFORE_TRAINING = {
    *("raw_documents", "teacher_samples", "validated_samples"),
    *("rejected_samples", "training_examples"),
}
FROM_TRAINING = {"fine_tuned_model", "evaluation_report", "registered_model"}


def definitions(
    export: Path, learning_rate: float = 0.01, max_length: int = 1024
) -> dg.Definitions:
    config = PipelineConfig.model_validate(
        {
            "description": "A writer small enough for a test.",
            "extraction": {"source": "linkedin_export", "path": str(export)},
            "teacher": {"task": "idea_for_post"},
            "templating": {"vocab_size": 400, "max_length": max_length},
            "finetuning": {
                "objective": "sft",
                "method": "lora",
                "base_model": "scratch",
                "learning_rate": learning_rate,
                "num_train_epochs": 1,
                "scratch": {
                    **{"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2},
                    **{"num_train_epochs": 1, "learning_rate": 0.01},
                },
            },
            "evaluation": {"style_prompts": 2, "max_new_tokens": 8},
            "retrain": "on_change",
        }
    )
    return dg.Definitions.merge(
        FineTuningPipeline("tiny_writer", config).build_defs(None),  # type: ignore[arg-type]
        dg.Definitions(resources=resources()),
    )


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory):
    """Return a daemon over a pipeline that has run once; its export may be changed."""
    state = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNELINE_STATE", str(state))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        with SAMPLE.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        write(state / "Shares.csv", rows[:61])
        with dg.instance_for_test(temp_dir=str(state)) as instance:
            daemon = Daemon(definitions(state / "Shares.csv"), instance)
            observe(daemon)
            assert set().union(*daemon.until_quiet()) == BEFORE_TRAINING | FROM_TRAINING
            yield daemon


def write(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def export(daemon: Daemon) -> Path:
    return Path(daemon.instance.root_directory) / "Shares.csv"


def observe(daemon: Daemon) -> None:
    assert (
        daemon.defs.resolve_job_def("tiny_writer_observe")
        .execute_in_process(instance=daemon.instance)
        .success
    )


def settle(daemon: Daemon) -> set[str]:
    return set().union(*daemon.until_quiet())


def latest(daemon: Daemon, stage: str) -> dict:
    event = daemon.instance.get_latest_materialization_event(dg.AssetKey(["tiny_writer", stage]))
    assert event and event.asset_materialization
    return {k: v.value for k, v in event.asset_materialization.metadata.items()}


def test_a_model_is_registered_with_its_report_and_a_reason(daemon: Daemon) -> None:
    registered = latest(daemon, "registered_model")
    assert registered["version"] == 1
    assert registered["reason"].startswith(("promoted: ", "held: "))
    report = Path(str(latest(daemon, "evaluation_report")["artifact"]))
    assert (report / "report.html").exists()
    manifest = json.loads((report / "manifest.json").read_text())
    assert set(manifest["metrics"]) >= {"base", "tuned"}


def test_the_same_content_again_runs_nothing(daemon: Daemon) -> None:
    export(daemon).touch()
    observe(daemon)
    assert settle(daemon) == set()


def test_a_whitespace_edit_stops_at_raw_documents(daemon: Daemon) -> None:
    text = export(daemon).read_text(encoding="utf-8")
    export(daemon).write_text(text.replace('""\n', ' ""\n', 1), encoding="utf-8")
    assert export(daemon).read_text(encoding="utf-8") != text
    observe(daemon)
    assert settle(daemon) == {"raw_documents"}


def test_a_changed_learning_rate_runs_from_the_training_on(daemon: Daemon) -> None:
    daemon.defs = definitions(export(daemon), learning_rate=0.02)
    assert settle(daemon) == FROM_TRAINING


def test_a_failed_check_holds_training_in_the_run_on_a_tick_and_on_a_click(daemon: Daemon) -> None:
    sound = daemon.defs
    daemon.defs = definitions(export(daemon), learning_rate=0.02, max_length=64)
    assert daemon.tick() == {"training_examples"}
    assert daemon.run({"training_examples", "fine_tuned_model"}) is False
    assert settle(daemon) & FROM_TRAINING == set()
    trained = latest(daemon, "fine_tuned_model")["artifact"]
    for stage in ("fine_tuned_model", "registered_model"):
        assert daemon.run({stage}) is False
    assert latest(daemon, "fine_tuned_model")["artifact"] == trained
    daemon.defs = sound
    assert settle(daemon) >= {"training_examples"}


def test_twice_from_nothing_gives_the_same_bytes(daemon: Daemon, monkeypatch, tmp_path) -> None:
    stages = ("raw_documents", "teacher_samples", "validated_samples", "training_examples")
    first = {s: Path(str(latest(daemon, s)["artifact"])) for s in (*stages, "fine_tuned_model")}
    monkeypatch.setenv("TUNELINE_STATE", str(tmp_path))
    shutil.copy(export(daemon), tmp_path / "Shares.csv")
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        again = Daemon(definitions(tmp_path / "Shares.csv", learning_rate=0.02), instance)
        observe(again)
        assert again.run({*BEFORE_TRAINING, "fine_tuned_model"})
        second = {s: Path(str(latest(again, s)["artifact"])) for s in first}
    for stage in stages:
        assert (first[stage] / "rows.parquet").read_bytes() == (
            second[stage] / "rows.parquet"
        ).read_bytes()
    weights = "model/adapter_model.safetensors"
    assert (first["fine_tuned_model"] / weights).read_bytes() == (
        second["fine_tuned_model"] / weights
    ).read_bytes()
