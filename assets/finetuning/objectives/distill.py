"""Distillation token by token: the student learns the teacher's whole distribution, not one token.

`lmbda: 0` learns from the rows, answers of a teacher, by forward KL (Hinton et al. 2015). Above it
is generalised (Agarwal et al. 2024): that share of the batches holds answers of the student itself,
which the teacher corrects where they go astray. TRL's own DistillationTrainer only does the latter,
and renders the prompts anew.
"""

from typing import TYPE_CHECKING

from pydantic import Field

from assets.discovery import Options as PlugInOptions

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, Trainer

    from assets.finetuning.training import Training

EXAMPLES = "chat"
MODEL = "causal"
VERSION = "1"
LOSS_IS_SUMMED = True  # over all that a step learns, however it is cut
IGNORES = {"label_smoothing_factor": "what the teacher gives the other tokens is learnt already"}


class Options(PlugInOptions):
    """The keys of `finetuning:` that belong to this objective."""

    teacher_model: str  # named as base_model is; its tokenizer must be the student's
    lmbda: float = Field(default=0.0, ge=0, le=1)  # share of batches that the student answers
    # 0: forward KL, covers all that the teacher may say; 1: reverse, keeps to what it likes best;
    # between: the generalised Jensen-Shannon divergence.
    beta: float = Field(default=0.0, ge=0, le=1)
    temperature: float = Field(default=1.0, gt=0)  # above 1 shows more of the unlikely tokens
    max_completion_length: int = Field(default=256, ge=1)  # tokens, of the student's own answers


def trainer(training: "Training") -> "Trainer":
    """Return a trainer over the rows; raises ValueError where the vocabularies differ."""
    from transformers import DataCollatorForSeq2Seq, TrainingArguments

    from assets.finetuning.token_distillation import DistillationTrainer

    assert training.load_teacher and training.load_teacher_tokenizer, "distill names its teacher"
    require_same_vocabulary(training.tokenizer, training.load_teacher_tokenizer())
    train, evaluation = (
        [{name: row[name] for name in ("input_ids", "labels")} for row in rows]
        for rows in (training.train, training.eval)
    )
    return DistillationTrainer(
        model=training.model,
        args=TrainingArguments(**training.arguments, label_names=["labels"]),
        train_dataset=train,  # type: ignore[arg-type]
        eval_dataset=evaluation or None,  # type: ignore[arg-type]
        processing_class=training.tokenizer,
        data_collator=DataCollatorForSeq2Seq(training.tokenizer),
        callbacks=training.callbacks,
        teacher=training.load_teacher(),
        options=training.options,
    )


def require_same_vocabulary(
    student: "PreTrainedTokenizerBase", teacher: "PreTrainedTokenizerBase"
) -> None:
    """Raise ValueError where a token of the student is another one to the teacher."""
    ours, theirs = student.get_vocab(), teacher.get_vocab()
    differing = [(i, token) for token, i in ours.items() if theirs.get(token) != i]
    if not differing:
        return
    first, token = min(differing)
    raise ValueError(
        f"{len(differing)} of the student's {len(ours)} tokens are others to the teacher, "
        f"{token!r} (id {first}) first: distill compares token by token, so both need one "
        "tokenizer; take a teacher of the same family, or let it write the samples and use sft"
    )
