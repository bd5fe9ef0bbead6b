"""QLoRA (Dettmers et al. 2023): LoRA over a base whose matrices are kept in 4 bits by bitsandbytes.

A quarter of the memory of a 16-bit base for a slower step. It runs on a CPU too.
"""

from typing import TYPE_CHECKING, Any, Literal

from assets.finetuning.low_rank import LowRankOptions, adapted

if TYPE_CHECKING:
    from transformers import PreTrainedModel

VERSION = "1"
MERGES = True
AVERAGES = True  # several adapters on one base have an average
BASE_IS_FROZEN = True  # it may be kept in bfloat16
OPTIM = "paged_adamw_8bit"  # its state moves to the host where a GPU has no room; not on a CPU
_HEADS = ("classifier", "score", "lm_head")  # new or delicate: they stay as they are


class Options(LowRankOptions):
    """The keys of `finetuning:` that belong to this method."""

    bnb_4bit_quant_type: Literal["nf4", "fp4"] = "nf4"  # nf4 is made for bell-shaped weights
    bnb_4bit_use_double_quant: bool = True  # the scales in 8 bits: 0.37 bits a weight less
    # What matrices are multiplied in; None: bfloat16 where the device computes it natively.
    bnb_4bit_compute_dtype: Literal["bfloat16", "float16", "float32"] | None = None


def refusal(objective: str, model_kind: str) -> str | None:
    """Return None: it trains every objective."""
    return None


def quantization(options: Options) -> dict[str, Any]:
    """Return the arguments of transformers' BitsAndBytesConfig."""
    return {
        "load_in_4bit": True,
        "bnb_4bit_quant_type": options.bnb_4bit_quant_type,
        "bnb_4bit_use_double_quant": options.bnb_4bit_use_double_quant,
        "bnb_4bit_compute_dtype": options.bnb_4bit_compute_dtype or _native_dtype(),
        "llm_int8_skip_modules": list(_HEADS),
    }


def apply(model: "PreTrainedModel", options: Options, model_kind: str) -> "PreTrainedModel":
    """Return the 4-bit model with trainable adapters; a new head stays trainable."""
    return adapted(model, options, model_kind)


def _native_dtype() -> str:
    from assets.finetuning.training import computes_bf16

    return "bfloat16" if computes_bf16() else "float32"
