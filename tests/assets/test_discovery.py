from collections.abc import Mapping
from typing import ClassVar

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from assets.discovery import PluggedConfig, find, names
from assets.finetuning.config import FinetuningConfig

METHODS = "assets.finetuning.methods"


class Section(PluggedConfig):
    plugged: ClassVar[Mapping[str, str]] = {"method": METHODS}
    method: str = "lora"


def test_the_files_of_a_folder_are_its_plugins() -> None:
    assert {"full", "head", "lora"} <= set(names(METHODS))
    assert find(METHODS, "lora").__name__ == "assets.finetuning.methods.lora"


def test_an_unknown_name_lists_the_names_that_exist() -> None:
    with pytest.raises(ValueError, match="unknown method 'lorra'; there are: adapter, dora, full"):
        find(METHODS, "lorra")


def test_a_plugins_keys_stand_in_its_section() -> None:
    assert Section(method="lora", lora_r=4).options("method").lora_r == 4  # type: ignore[call-arg]


def test_a_key_that_nobody_owns_is_refused() -> None:
    with pytest.raises(ValidationError, match="unknown key 'lora_r'; allowed: method"):
        Section(method="full", lora_r=4)  # type: ignore[call-arg]


def test_a_plugins_key_is_validated_by_the_plugin() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        Section(lora_r=0)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"learning_rat": 1}, "'learning_rat' was unexpected"),
        ({"objective": "stf"}, "'stf' is not one of ['causal_lm', 'classify',"),
        ({"method": "full", "lora_r": 4}, "'lora_r' was unexpected"),
        ({"lora_r": "four"}, "'four' is not of type 'integer'"),
    ],
)
def test_the_json_schema_refuses_what_the_section_refuses(
    section: dict[str, object], message: str
) -> None:
    validator = Draft202012Validator(FinetuningConfig.model_json_schema())
    stated = {"objective": "sft", "base_model": "scratch", **section}
    assert [e.message for e in validator.iter_errors(stated) if message in e.message]


def test_the_json_schema_takes_a_sound_section() -> None:
    validator = Draft202012Validator(FinetuningConfig.model_json_schema())
    sound = {"objective": "sft", "base_model": "scratch", "lora_r": 4, "learning_rate": 0.1}
    assert not list(validator.iter_errors(sound))
