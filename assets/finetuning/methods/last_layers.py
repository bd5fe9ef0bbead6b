"""The last transformer blocks learn, with all that follows them: final norm, pooler and head."""

from typing import TYPE_CHECKING

from pydantic import Field

from assets.discovery import Options as PluginOptions

if TYPE_CHECKING:
    from transformers import PreTrainedModel

VERSION = "1"


class Options(PluginOptions):
    """The keys of `finetuning:` that belong to this method."""

    last_n: int = Field(default=2, ge=1)  # blocks: each costs memory, and the backward pass to it


def refusal(objective: str, model_kind: str) -> str | None:
    """Return None: it can train every objective."""
    return None


def apply(model: "PreTrainedModel", options: Options, model_kind: str) -> "PreTrainedModel":
    """Return the model with everything frozen before the n-th block from the end.

    A head that is tied to the input embeddings stays frozen with them.
    """
    from assets.loading.layers import blocks, from_block, pooler

    names = list(blocks(model))
    if options.last_n > len(names):
        raise ValueError(
            f"last_n is {options.last_n}, the model has {len(names)} blocks: take fewer, or "
            "method full"
        )
    model.requires_grad_(False)
    for parameter in from_block(model, names[-options.last_n]):
        parameter.requires_grad_(True)
    # sentence-transformers pools by itself: the encoder's own pooler is computed and not used
    if model_kind == "embedding" and (unused := pooler(model)) is not None:
        unused.requires_grad_(False)
    return model
