"""The trainer of embedding models; heavy, imported inside training jobs only.

sentence-transformers', with three things taken out: it reads tokens that are there already, so that
training sees what the preflight saw; it writes no model card, which would ask the hub; and its
checkpoints are the weights as they are, whatever a method did to them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from datasets import Dataset
from safetensors.torch import load_model, save_model
from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.base.sampler import BatchSamplers, DefaultBatchSampler
from sentence_transformers.sentence_transformer.losses import (
    CachedMultipleNegativesRankingLoss,
    CoSENTLoss,
    MultipleNegativesRankingLoss,
)

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from assets.finetuning.training import Row, Training

_TEXTS = ("anchor", "positive", "negative")
_WEIGHTS = "model.safetensors"


class EmbeddingTrainer(SentenceTransformerTrainer):
    """sentence-transformers' trainer without a model card, with plain checkpoints."""

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """Do without."""

    def _save(self, output_dir: str | None = None, state_dict: object = None) -> None:
        folder = Path(output_dir or str(self.args.output_dir))
        folder.mkdir(parents=True, exist_ok=True)
        save_model(self.model, str(folder / _WEIGHTS))

    def _load_from_checkpoint(self, checkpoint_path: str, model: object = None) -> None:
        load_model(self.model, Path(checkpoint_path) / _WEIGHTS)


class SeededBatchSampler(DefaultBatchSampler):
    """Rows in an order that only the seed and the epoch decide, so that a resume repeats it.

    The library's own goes on drawing from one generator, which a resumed training starts anew.
    """

    def __init__(self, dataset: Dataset, batch_size: int, seed: int = 0, **others: Any) -> None:
        super().__init__(dataset, batch_size=batch_size, seed=seed, **others)
        self.rows = len(dataset)

    def __iter__(self) -> Iterator[list[int]]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        order = torch.randperm(self.rows, generator=generator).tolist()
        for first in range(0, self.rows, self.batch_size):
            yield order[first : first + self.batch_size]

    def __len__(self) -> int:
        return -(-self.rows // self.batch_size)


class Collator:
    """Pads the tokens of each text of a batch, in the columns that the trainer looks for."""

    valid_label_columns = ("score",)

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        self.tokenizer = tokenizer

    def __call__(self, rows: "list[Row]") -> dict[str, torch.Tensor]:
        """Return `anchor_input_ids`, `anchor_attention_mask` … and `label` where rows have one."""
        batch: dict[str, torch.Tensor] = {}
        for name in (name for name in _TEXTS if name in rows[0]):
            ids = [{"input_ids": row[name]} for row in rows]
            padded = self.tokenizer.pad(ids, return_tensors="pt")
            batch |= {f"{name}_{key}": value for key, value in padded.items()}
        if "score" in rows[0]:
            batch["label"] = torch.tensor([row["score"] for row in rows])
        return batch


def embedding_trainer(training: "Training") -> EmbeddingTrainer:
    """Return the trainer; its batches hold no text twice, where other rows are negatives."""
    ranks = training.options.loss == "multiple_negatives_ranking"
    make = _ranked if ranks else _scored
    sampler = BatchSamplers.NO_DUPLICATES if ranks else SeededBatchSampler
    watched = make(training.eval)
    return EmbeddingTrainer(
        model=training.model,
        args=SentenceTransformerTrainingArguments(**training.arguments, batch_sampler=sampler),
        train_dataset=Dataset.from_list(make(training.train)),
        eval_dataset=Dataset.from_list(watched) if watched else None,
        loss=_loss(training),
        data_collator=Collator(training.tokenizer),  # type: ignore[arg-type]
        callbacks=training.callbacks,
    )


def _loss(training: "Training") -> torch.nn.Module:
    model, options = training.model, training.options
    if options.loss == "cosent":
        return CoSENTLoss(model, scale=options.scale)
    if options.mini_batch_size:
        return CachedMultipleNegativesRankingLoss(
            model, scale=options.scale, mini_batch_size=options.mini_batch_size
        )
    return MultipleNegativesRankingLoss(model, scale=options.scale)


def _ranked(rows: "list[Row]") -> "list[Row]":
    """Return the tokens of each text of a row by its name."""
    return [dict(zip(_TEXTS, row["input_ids"], strict=False)) for row in rows]


def _scored(rows: "list[Row]") -> "list[Row]":
    """Return pairs that belong together, 1, and pairs that do not, 0."""
    pairs = [
        {"anchor": anchor, "positive": other, "score": float(place == 0)}
        for anchor, *others in (row["input_ids"] for row in rows)
        for place, other in enumerate(others)
    ]
    if pairs and all(pair["score"] for pair in pairs):
        raise ValueError(
            "cosent compares pairs that belong together with pairs that do not, and no row has a "
            "negative: name a teacher task that makes them, or loss: multiple_negatives_ranking"
        )
    return pairs
