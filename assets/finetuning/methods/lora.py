"""Low-rank adaptation (Hu et al. 2021): W + B·A·alpha/r, where only A and B learn, by PEFT."""

from typing import TYPE_CHECKING

from pydantic import Field

from assets.discovery import Options as PluginOptions

if TYPE_CHECKING:
    from transformers import PreTrainedModel

VERSION = "1"
_TASK_TYPES = {
    "causal": "CAUSAL_LM",
    "sequence": "SEQ_CLS",
    "score": "SEQ_CLS",
    "tokens": "TOKEN_CLS",
    "embedding": "FEATURE_EXTRACTION",
}


class Options(PluginOptions):
    """The keys of `finetuning:` that belong to this method."""

    lora_r: int = Field(default=8, ge=1)  # rank: parameters grow with it, quality hardly does
    lora_alpha: float = Field(default=16, gt=0)  # the update is scaled by alpha / r
    lora_dropout: float = Field(default=0.0, ge=0, lt=1)
    target_modules: list[str] | str = "all-linear"  # which matrices matters more than the rank
    use_rslora: bool = False  # scale by alpha / sqrt(r), for high ranks


def refusal(objective: str, model_kind: str) -> str | None:
    """Return None: it trains every objective."""
    return None


def apply(model: "PreTrainedModel", options: Options, model_kind: str) -> "PreTrainedModel":
    """Return the model with frozen weights and trainable adapters; a new head stays trainable."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=options.lora_r,
        lora_alpha=options.lora_alpha,  # type: ignore[arg-type]
        lora_dropout=options.lora_dropout,
        target_modules=options.target_modules,
        use_rslora=options.use_rslora,
        task_type=_TASK_TYPES[model_kind],
    )
    return get_peft_model(model, config)  # type: ignore[return-value]
