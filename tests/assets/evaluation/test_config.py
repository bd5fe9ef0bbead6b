import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from assets.evaluation.config import EvaluationConfig
from assets.questions import Question

CHAT, TEXT = Question("chat", "causal"), Question("text", "sequence", ("safe", "phishing"))


def test_the_defaults_follow_from_rows_and_model():
    config = EvaluationConfig()
    assert list(config.suited(CHAT)) == ["forgetting", "held_out_loss", "style_profile"]
    assert list(config.suited(Question("plain", "causal"))) == ["forgetting", "held_out_loss"]
    assert list(config.suited(TEXT)) == ["classification"]


def test_a_model_that_nothing_measures_is_refused():
    with pytest.raises(ValueError, match="no benchmark suits a model of kind 'score' on rows of"):
        EvaluationConfig().suited(Question("chat", "score"))


def test_a_benchmarks_own_key_stands_flat_in_the_section():
    config = EvaluationConfig.model_validate({"style_prompts": 3})
    assert config.suited(CHAT)["style_profile"]["style_prompts"] == 3


def test_an_unknown_benchmark_is_refused_with_the_names_that_exist():
    with pytest.raises(ValidationError) as caught:
        EvaluationConfig(benchmarks=("perplexity",))
    assert (
        "unknown benchmark 'perplexity'; there are: classification, forgetting, held_out_loss"
        in str(caught.value)
    )


def test_a_benchmark_of_another_kind_is_refused_with_those_that_suit():
    config = EvaluationConfig(benchmarks=("held_out_loss", "classification"))
    with pytest.raises(ValueError, match="'classification' does not suit a model of kind") as e:
        config.suited(CHAT)
    assert "on rows of kind 'chat'; these do: forgetting, held_out_loss, masking" in str(e.value)


def test_a_misspelt_key_is_refused_with_the_allowed_ones():
    with pytest.raises(
        ValidationError, match=r"unknown key 'style_prompt'; allowed: .*style_prompts"
    ):
        EvaluationConfig.model_validate({"style_prompt": 3})


def test_a_key_of_a_benchmark_that_is_not_chosen_is_refused():
    with pytest.raises(ValidationError, match="unknown key 'style_prompts'"):
        EvaluationConfig.model_validate({"benchmarks": ["held_out_loss"], "style_prompts": 3})


def test_no_benchmark_at_all_is_refused():
    with pytest.raises(ValidationError, match="benchmarks is empty"):
        EvaluationConfig(benchmarks=())


def test_the_schema_names_every_benchmark_and_every_key():
    schema = EvaluationConfig.model_json_schema()
    assert schema["additionalProperties"] is False
    assert {"benchmarks", "samples", "style_prompts", "max_new_tokens"} <= set(schema["properties"])
    assert "style_profile" in schema["properties"]["benchmarks"]["items"]["enum"]


def test_the_json_schema_names_the_benchmarks_that_exist():
    validator = Draft202012Validator(EvaluationConfig.model_json_schema())
    [error] = validator.iter_errors({"benchmarks": ["perplexity"]})
    assert (
        "'perplexity' is not one of ['classification', 'forgetting', 'held_out_loss'"
        in error.message
    )
    assert not list(validator.iter_errors({"benchmarks": None}))
