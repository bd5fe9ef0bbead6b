from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from assets.validation.config import ValidationConfig

MISTAKES = [
    ({"rule": []}, "Extra inputs are not permitted"),
    (
        {"rules": ["lenght"]},
        "unknown rule 'lenght'; there are: answer_in_prompt, contradiction, label_in_set",
    ),
    ({"rules": [{"lenght": {}}]}, "unknown rule 'lenght'"),
    (
        {"rules": [{"length": {"min_word": 5}}]},
        "unknown option 'min_word' of rule length; there are: max_words, min_words",
    ),
    ({"rules": [{"length": {"min_words": -1}}]}, "greater than or equal to 0"),
    ({"rules": [{"length": {}, "near_duplicate": {}}]}, "one rule an entry, not 2"),
    ({"rules": [{}]}, "one rule an entry, not 0"),
    ({"max_reject_rate": 2}, "less than or equal to 1"),
    ({"expectations": [{"type": "expect_x", "column": "y"}]}, "Extra inputs are not permitted"),
]


@pytest.mark.parametrize(("section", "message"), MISTAKES)
def test_a_mistake_is_refused_by_the_model_and_by_the_json_schema(
    section: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        ValidationConfig.model_validate(section)
    assert list(_schema().iter_errors(section)), "dg check yaml would let it pass"


@pytest.mark.parametrize("rule", ["lenght", {"lenght": {}}])
def test_the_json_schema_names_the_rules_that_exist(rule: Any) -> None:
    [error] = _schema().iter_errors({"rules": ["length", rule]})
    assert (
        "'lenght' is not one of ['answer_in_prompt', 'contradiction', 'label_in_set'"
        in error.message
    )


def test_a_rule_listed_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="rule 'length' is listed twice"):
        ValidationConfig.model_validate({"rules": ["length", {"length": {"min_words": 5}}]})


def test_names_and_names_with_options_are_taken() -> None:
    section = {"rules": ["near_duplicate", {"length": {"min_words": 5}}], "labels": ["a", "b"]}
    config = ValidationConfig.model_validate(section)
    assert not list(_schema().iter_errors(section))
    assert config.rules is not None
    assert [rule.name for rule in config.rules] == ["near_duplicate", "length"]
    assert config.rules[1].options().min_words == 5
    assert config.versions().keys() == {"near_duplicate", "length"}


def test_a_pipeline_may_say_nothing_or_no_rules_at_all() -> None:
    assert ValidationConfig().versions().keys() >= {"length", "label_in_set"}
    assert ValidationConfig.model_validate({"rules": []}).versions() == {}


def _schema() -> Draft202012Validator:
    return Draft202012Validator(ValidationConfig.model_json_schema())
