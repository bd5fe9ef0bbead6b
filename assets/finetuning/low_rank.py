"""What lora, dora and qlora share: the options of a low-rank adapter, and putting it in by PEFT."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field

from assets.discovery import Options

if TYPE_CHECKING:
    from transformers import PreTrainedModel

TASK_TYPES: Mapping[str, str] = {  # by the kind of model, as PEFT names them
    "causal": "CAUSAL_LM",
    "sequence": "SEQ_CLS",
    "score": "SEQ_CLS",
    "tokens": "TOKEN_CLS",
    "embedding": "FEATURE_EXTRACTION",
}
# A new head is trained whole. An embedding model's pooler is computed and not used.
_WITHOUT_ADAPTER = {"embedding": r"(.*\.)?pooler\..*", "causal": None}
_HEADS = r"(.*\.)?(classifier|score)(\..*)?"


class LowRankOptions(Options):
    """The keys of `finetuning:` of a low-rank adapter."""

    lora_r: int = Field(default=8, ge=1)  # rank: parameters grow with it, quality hardly does
    lora_alpha: float = Field(default=16, gt=0)  # the update is scaled by alpha / r
    lora_dropout: float = Field(default=0.0, ge=0, lt=1)  # of its input: against over-fitting
    # Which matrices matters more than the rank: names, a regular expression, or all-linear.
    target_modules: list[str] | str = "all-linear"
    use_rslora: bool = False  # scale by alpha / sqrt(r), for high ranks


def adapted(
    model: "PreTrainedModel", options: LowRankOptions, model_kind: str, use_dora: bool = False
) -> "PreTrainedModel":
    """Return the model frozen, with a trainable adapter; a new head stays trainable."""
    from peft import LoraConfig, get_peft_model

    _check_targets(model, options.target_modules)
    config = LoraConfig(
        r=options.lora_r,
        lora_alpha=options.lora_alpha,  # type: ignore[arg-type]
        lora_dropout=options.lora_dropout,
        target_modules=options.target_modules,
        exclude_modules=_WITHOUT_ADAPTER.get(model_kind, _HEADS),
        use_rslora=options.use_rslora,
        use_dora=use_dora,
        task_type=TASK_TYPES[model_kind],
    )
    return get_peft_model(model, config)  # type: ignore[return-value]


def _check_targets(model: "PreTrainedModel", targets: list[str] | str) -> None:
    """Raise ValueError for a listed name that no matrix has: PEFT leaves it out in silence."""
    from torch import nn

    if isinstance(targets, str):
        return
    matrices = [n for n, module in model.named_modules() if isinstance(module, nn.Linear)]
    unknown = [t for t in targets if not any(n == t or n.endswith(f".{t}") for n in matrices)]
    if unknown:
        known = sorted({name.rpartition(".")[2] for name in matrices})
        raise ValueError(
            f"target_modules: the base model has no matrix {unknown[0]!r}; it has: "
            f"{', '.join(known)}; all-linear takes them all"
        )
