"""What brings texts together, what a batch holds, and that a text gives the same vector again."""

from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset

from assets.finetuning.embedding import SeededBatchSampler, embedding_trainer
from assets.finetuning.objectives.embed import Options
from assets.finetuning.preparing import prepare
from assets.loading.models import load_base, load_tuned
from tests.assets.finetuning import tiny

ROWS = [s.fields for s in tiny.samples() if s.split == "train"]
LONG = " ".join([*tiny.WORDS] * 40)


def margin(model: Any) -> float:
    """Return by how much anchors are more like their positives than like their negatives."""
    anchors, positives, negatives = (
        model.encode([row[name] for row in ROWS], normalize_embeddings=True)
        for name in ("anchor", "positive", "negative")
    )
    return float(((anchors * positives).sum(1) - (anchors * negatives).sum(1)).mean())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "loss"),
    [("full", "multiple_negatives_ranking"), ("lora", "cosent")],
)
def test_positives_get_closer_than_negatives_and_vectors_stay_the_same(
    method: str, loss: str, tmp_path: Path
) -> None:
    folder, manifest = tiny.train(tmp_path, "embed", method, loss=loss)
    tuned, tokenizer = load_tuned(folder)
    again, _ = load_tuned(folder)
    base = load_base(manifest)
    base[0].processor = tokenizer
    assert margin(tuned) > margin(base) + 0.05
    assert (tuned.encode([LONG]) == again.encode([LONG])).all()
    assert tuned.max_seq_length == again.max_seq_length == tiny.LONGEST


def prepared(root: Path, **section: object) -> Any:
    asked = tiny.job(tiny.config("embed", "full", **section), root)
    return prepare(asked, root, lambda line: None)[1]


def gradient(root: Path, **section: object) -> torch.Tensor:
    trainer = embedding_trainer(prepared(root, dropout=0.0, **section))
    batch = next(iter(trainer.get_train_dataloader()))
    loss: Any = trainer.compute_loss(trainer.model, batch)
    loss.backward()
    return torch.cat([p.grad.flatten() for p in trainer.model.parameters() if p.grad is not None])


def test_a_batch_encoded_in_parts_has_the_gradient_of_the_whole_batch(tmp_path: Path) -> None:
    whole, parts = gradient(tmp_path), gradient(tmp_path, mini_batch_size=2)
    torch.testing.assert_close(parts, whole, rtol=1e-3, atol=1e-5)


def test_a_batch_holds_no_text_twice_and_the_tokens_of_templating(tmp_path: Path) -> None:
    training = prepared(tmp_path, per_device_train_batch_size=8)
    known = {tuple(ids) for row in training.train for ids in row["input_ids"]}
    trainer = embedding_trainer(training)
    batches = list(trainer.get_train_dataloader())
    for batch in batches:
        texts = [
            tuple(ids[mask.bool()].tolist())
            for name in ("anchor", "positive", "negative")
            for ids, mask in zip(
                batch[f"{name}_input_ids"], batch[f"{name}_attention_mask"], strict=True
            )
        ]
        assert len(set(texts)) == len(texts)
        assert set(texts) <= known
    assert sum(len(batch["anchor_input_ids"]) for batch in batches) == len(training.train)


def test_every_epoch_of_scored_pairs_has_an_order_of_its_own_that_comes_again() -> None:
    def order(epoch: int) -> list[list[int]]:
        rows = Dataset.from_dict({"anchor": list(range(10))})
        sampler = SeededBatchSampler(rows, batch_size=4, seed=3, drop_last=False)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert order(1) == order(1) != order(2)
    assert sorted(row for batch in order(2) for row in batch) == list(range(10))


def test_pairs_without_a_negative_cannot_be_scored(tmp_path: Path) -> None:
    training = prepared(tmp_path, loss="cosent")
    training.train = [row | {"input_ids": row["input_ids"][:2]} for row in training.train]
    with pytest.raises(ValueError, match="no row has a negative"):
        embedding_trainer(training)


def test_only_ranking_can_encode_a_batch_in_parts() -> None:
    with pytest.raises(ValueError, match="cosent has none: lower per_device_train_batch_size"):
        Options(loss="cosent", mini_batch_size=4)
