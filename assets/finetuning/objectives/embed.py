"""Texts that belong together get like vectors, by sentence-transformers' trainer.

A row is `{"input_ids": [[101, 7, 102], [101, 9, 102], [101, 4, 102]], "negative": "…", …}`: tokens
of anchor, positive and, where it has one, negative. Every other row of its batch is a negative too,
so more rows a batch make a harder task; accumulated batches are not compared with each other.
"""

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from assets.discovery import Options as PluginOptions

if TYPE_CHECKING:
    from transformers import Trainer

    from assets.finetuning.training import Training

EXAMPLES = "retrieval"
MODEL = "embedding"  # what is loaded: a ModelKind
LIBRARIES = ("sentence_transformers",)  # what its trainer loads
VERSION = "1"
IN_BATCH = True  # rows are compared with each other: a batch cut in two is another training
IGNORES = {
    "label_smoothing_factor": "texts are compared and have no label; a lower scale is milder",
    "neftune_noise_alpha": "the noise is made for models that write",
    "group_by_length": "which rows come together is part of what is learnt",
}


class Options(PluginOptions):
    """What pulls together and pushes apart."""

    # multiple_negatives_ranking   a positive against all other texts of the batch; no text twice
    # cosent                       every pair that belongs together above every pair that does not
    loss: Literal["multiple_negatives_ranking", "cosent"] = "multiple_negatives_ranking"
    # Times cosine similarity, 1 / temperature: higher learns from the hardest negatives only.
    scale: float = Field(default=20.0, gt=0)
    # Texts encoded at once, where a batch does not fit: the same gradient in less memory, slower.
    mini_batch_size: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _a_loss_that_can_be_cached(self) -> "Options":
        if self.mini_batch_size and self.loss != "multiple_negatives_ranking":
            raise ValueError(
                f"mini_batch_size is of multiple_negatives_ranking; {self.loss} has none: lower "
                "per_device_train_batch_size instead"
            )
        return self


def trainer(training: "Training") -> "Trainer":
    """Return sentence-transformers' trainer over the tokens that templating made."""
    from assets.finetuning.embedding import embedding_trainer

    return embedding_trainer(training)
