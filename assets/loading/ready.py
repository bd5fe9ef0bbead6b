"""A loaded model made ready to answer, the same in evaluation and serving.

It goes along with a registered model, so it knows nothing of the rest of the project.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def ready(model: Any, tokenizer: "PreTrainedTokenizerBase", kind: str, max_length: int) -> Any:
    """Return the model on the GPU where there is one, reading its inputs as training gave them."""
    import torch

    if kind == "embedding":  # cut where the examples were
        model.max_seq_length = min(model.max_seq_length or max_length, max_length)
    elif model.config.pad_token_id is None:  # training sets it, and an adapter's base has none
        model.config.pad_token_id = tokenizer.pad_token_id
    if getattr(model, "is_quantized", False):
        return model  # bitsandbytes has placed it
    return model.to("cuda" if torch.cuda.is_available() else "cpu")
