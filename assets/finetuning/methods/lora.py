"""Low-rank adaptation (Hu et al. 2021): W + B·A·alpha/r, where only A and B learn, by PEFT."""

from typing import TYPE_CHECKING

from pydantic import Field

from assets.discovery import Options as PluginOptions

if TYPE_CHECKING:
    from transformers import PreTrainedModel

OBJECTIVES = ("sft", "classify")
VERSION = "1"
_TASK_TYPES = {"sft": "CAUSAL_LM", "classify": "SEQ_CLS"}


class Options(PluginOptions):
    """The keys of `finetuning:` that belong to this method."""

    lora_r: int = Field(default=8, ge=1)  # rank: parameters grow with it, quality hardly does
    lora_alpha: float = Field(default=16, gt=0)  # the update is scaled by alpha / r
    lora_dropout: float = Field(default=0.0, ge=0, lt=1)
    target_modules: list[str] | str = "all-linear"  # which matrices matters more than the rank
    use_rslora: bool = False  # scale by alpha / sqrt(r), for high ranks


def apply(model: "PreTrainedModel", options: Options, objective: str) -> "PreTrainedModel":
    """Return the model with frozen weights and trainable adapters; a new head stays trainable."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=options.lora_r,
        lora_alpha=options.lora_alpha,  # type: ignore[arg-type]
        lora_dropout=options.lora_dropout,
        target_modules=options.target_modules,
        use_rslora=options.use_rslora,
        task_type=_TASK_TYPES[objective],
    )
    return get_peft_model(model, config)  # type: ignore[return-value]
