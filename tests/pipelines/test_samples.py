"""Every shipped pipeline on its own sample, offline, from the raw export to training examples."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines.definitions import defs as load_definitions
from pipelines.environments import resources

# Rows that the sample gives, and what a row must hold: the numbers are those of the shipped files.
EXPECTED: dict[str, tuple[str, int]] = {
    "instruction_tuner": ("chat", 235),
    "linkedin_writer": ("chat", 120),
    "name_generator": ("plain", 1450),
    "phishing_classifier": ("text", 290),
    "phishing_student": ("text", 290),
    "phishing_student_untaught": ("text", 290),
    "pii_masker": ("chat", 145),
    "reply_writer": ("chat", 215),
    "review_sentiment": ("text", 480),
    "semantic_search": ("retrieval", 190),
    "support_router": ("chat", 250),
    "title_preferences": ("preference", 450),
}


@pytest.fixture(scope="module")
def graph() -> dg.Definitions:
    return load_definitions()


def test_every_shipped_pipeline_is_looked_at(graph: dg.Definitions) -> None:
    assert {spec.group_name for spec in graph.resolve_all_asset_specs()} == set(EXPECTED)


@pytest.mark.parametrize("pipeline", sorted(EXPECTED))
def test_the_sample_becomes_training_examples_and_passes_every_check(
    pipeline: str, graph: dg.Definitions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNELINE_STATE", str(tmp_path))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    examples = dg.AssetKey([pipeline, "training_examples"])
    upstream = dg.AssetSelection.assets(examples).upstream().required_multi_asset_neighbors()
    parts: list[Any] = [*(graph.assets or ()), *(graph.asset_checks or ())]
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        dg.materialize(parts, selection=upstream, instance=instance, resources=resources())
        event = instance.get_latest_materialization_event(examples)
        failed = [
            f"{check.check_name}: {check.description}"
            for check in _evaluations(instance, graph, pipeline)
            if not check.passed
        ]
    assert failed == []
    assert event is not None and event.asset_materialization is not None
    numbers: dict[str, Any] = {
        name: v.value for name, v in event.asset_materialization.metadata.items()
    }
    kind, least = EXPECTED[pipeline]
    assert numbers["kind"] == kind
    assert least <= numbers["rows"] <= 1.3 * least


def _evaluations(
    instance: dg.DagsterInstance, graph: dg.Definitions, pipeline: str
) -> list[dg.AssetCheckEvaluation]:
    keys = [
        key
        for key in graph.resolve_asset_graph().asset_check_keys
        if key.asset_key.path[0] == pipeline
    ]
    records = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    return [
        record.event.dagster_event.asset_check_evaluation_data  # type: ignore[union-attr]
        for record in records.values()
        if record.event is not None
    ]
