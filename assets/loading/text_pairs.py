"""How a cross-encoder reads a pair of texts, the same in training, evaluation and serving.

It goes along with a registered model, so it knows nothing of the rest of the project.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def encode_pair(
    query: str, document: str, tokenizer: "PreTrainedTokenizerBase", model: Any, max_length: int
) -> dict[str, list[int]]:
    """Return the model's inputs for a pair, without padding; the longer text is cut first.

    A tokenizer that puts no separator between two texts gets a line break for one.
    """
    cut = {"truncation": "longest_first", "max_length": max_length, "verbose": False}
    if tokenizer.sep_token is None:
        made: Any = tokenizer(f"{query}\n", document, **cut)
    else:
        made = tokenizer(query, document, **cut)
    # Which text a token is of: BERT embeds it, Llama and RoBERTa do not.
    embeds_the_side = getattr(model.config, "type_vocab_size", 1) > 1
    names = ("input_ids", *(("token_type_ids",) if embeds_the_side else ()))
    return {name: list(made[name]) for name in names if name in made}
