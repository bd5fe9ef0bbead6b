"""The tokenizer of the base model; a scratch model's is trained on the training split alone."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from assets.models import BaseModel

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

END, PAD, START = "<|im_end|>", "<|pad|>", "<|im_start|>"


def load_tokenizer(
    base: BaseModel, training_texts: Iterable[str], vocab_size: int
) -> "PreTrainedTokenizerBase":
    """Return the tokenizer that goes with `base`, with a padding token that is not its end token.

    Where a hub tokenizer has no padding token, its unknown token serves if it has one; padding is
    masked in the loss by the attention mask, never by comparing ids, so the end token stays learnt.
    """
    from transformers import AutoTokenizer

    if base.kind == "scratch":
        return train_tokenizer(training_texts, vocab_size)
    tokenizer = AutoTokenizer.from_pretrained(base.location(), revision=base.revision)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.unk_token or tokenizer.eos_token
    return tokenizer


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> "PreTrainedTokenizerBase":
    """Return a byte-level BPE tokenizer trained on `texts`; the same texts give the same one."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[PAD, START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=[START],
        clean_up_tokenization_spaces=False,
    )
