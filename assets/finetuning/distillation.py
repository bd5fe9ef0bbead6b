"""A classifier's answers as what another learns; heavy, imported inside training jobs only."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional
from transformers import DataCollatorWithPadding, Trainer, TrainingArguments

from assets.finetuning.losses import cross_entropy

if TYPE_CHECKING:
    from assets.finetuning.training import Row, Training

_AT_ONCE = 16  # rows of the same length that the teacher reads


class DistillingTrainer(Trainer):
    """transformers' trainer, with what the teacher said of the rows at hand for the loss."""

    alpha = 0.0
    temperature = 1.0
    said: torch.Tensor | None = None  # of the rows of this very batch

    def compute_loss(  # type: ignore[override]
        self, model: Any, inputs: dict[str, Any], *arguments: Any, **named: Any
    ) -> Any:
        """Return what transformers' own does; the teacher's logits are no input of the student."""
        self.said = inputs.pop("teacher_logits", None)
        return super().compute_loss(model, inputs, *arguments, **named)

    def mixed_loss(
        self,
        outputs: Any,
        labels: torch.Tensor,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Return alpha * T² * KL + (1 - alpha) * cross-entropy, the mean over rows."""
        learnt = cross_entropy(self.args.label_smoothing_factor)
        loss = learnt(outputs, labels, num_items_in_batch=num_items_in_batch)
        if self.said is None:
            return loss
        rows = len(labels) if num_items_in_batch is None else num_items_in_batch
        soft = soft_loss(outputs.logits, self.said, self.temperature) / rows
        return self.alpha * soft + (1 - self.alpha) * loss


def soft_loss(student: torch.Tensor, teacher: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return T² * KL(teacher || student), summed over rows; T² keeps the gradient's length."""
    ours, theirs = (
        functional.log_softmax(logits.float() / temperature, dim=-1)
        for logits in (student, teacher.to(student.device))
    )
    return functional.kl_div(ours, theirs, reduction="sum", log_target=True) * temperature**2


def distilling_trainer(training: "Training") -> DistillingTrainer:
    """Return the trainer; the teacher is asked here, once a row, and let go."""
    options, arguments = training.options, training.arguments
    said = _answers(training) if options.alpha > 0 else {}
    made = DistillingTrainer(
        model=training.model,
        args=TrainingArguments(**arguments, label_names=["labels"], remove_unused_columns=False),
        train_dataset=_rows(training.train, said),  # type: ignore[arg-type]
        eval_dataset=_rows(training.eval, said) or None,  # type: ignore[arg-type]
        processing_class=training.tokenizer,
        data_collator=DataCollatorWithPadding(training.tokenizer),
        callbacks=training.callbacks,
    )
    made.alpha, made.temperature = options.alpha, options.temperature
    made.compute_loss_func = made.mixed_loss
    return made


def teacher_logits(
    model: Any, encoded: Sequence[list[int]], order: Sequence[int]
) -> list[list[float]]:
    """Return the logits of each row, classes in `order`.

    Rows of one length are read together: nothing is padded, so a row's answer is its own.
    """
    places = sorted(range(len(encoded)), key=lambda i: len(encoded[i]))
    logits: dict[int, list[float]] = {}
    while places:
        length = len(encoded[places[0]])
        batch = [i for i in places[:_AT_ONCE] if len(encoded[i]) == length]
        places = places[len(batch) :]
        ids = torch.tensor([encoded[i] for i in batch], device=model.device)
        with torch.inference_mode():
            found = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
        logits |= zip(batch, found[:, list(order)].float().tolist(), strict=True)
    return [logits[i] for i in range(len(encoded))]


def _answers(training: "Training") -> dict[str, list[float]]:
    """Return the teacher's logits by the id of the row, classes in the student's order."""
    assert training.load_teacher and training.load_teacher_tokenizer and training.labels
    teacher = training.load_teacher()
    if teacher.device != training.model.device:
        teacher = teacher.to(training.model.device)
    tokenizer = training.load_teacher_tokenizer()
    order = _order(_labels(teacher), training.labels)
    rows = training.train + training.eval
    cut = {"truncation": True, "max_length": min(training.max_length, tokenizer.model_max_length)}
    encoded: Any = tokenizer([row["text"] for row in rows], **cut)["input_ids"]
    said = teacher_logits(teacher, encoded, order)
    return {row["id"]: logits for row, logits in zip(rows, said, strict=True)}


def _labels(teacher: Any) -> list[str]:
    named = getattr(getattr(teacher, "config", None), "id2label", None) or {}
    return [named[i] for i in sorted(named)]


def _order(teachers: list[str], students: list[str]) -> list[int]:
    """Return the teacher's index of each of the student's labels."""
    if sorted(teachers) != sorted(students):
        raise ValueError(
            f"the teacher knows the labels {', '.join(teachers) or 'of no classifier'}, the "
            f"student learns {', '.join(students)}: name a teacher_model with the same labels"
        )
    return [teachers.index(label) for label in students]


def _rows(rows: "list[Row]", said: dict[str, list[float]]) -> "list[Row]":
    return [
        {"input_ids": row["input_ids"], "labels": row["labels"][0]}
        | ({"teacher_logits": said[row["id"]]} if said else {})
        for row in rows
    ]
