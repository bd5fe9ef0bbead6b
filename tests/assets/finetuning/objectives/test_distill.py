"""The student comes to say what the teacher says, over its rows or over its own answers."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import kl_div

from assets.finetuning.objectives import distill
from assets.finetuning.preparing import prepare
from assets.finetuning.token_distillation import divergence
from assets.templating.tokenizer import train_tokenizer
from tests.assets.finetuning import tiny


def training_of(tmp_path: Path, **section: Any) -> Any:
    asked = tiny.job(tiny.config("distill", "full", **section), tmp_path)
    return prepare(asked, tmp_path, lambda line: None)[1]


def distance(training: Any, teacher: Any, rows: list[dict[str, Any]]) -> torch.Tensor:
    """Return KL(teacher || student), summed over what the rows learn, row by row."""
    found, tokens, student = [], len(training.tokenizer), training.model.eval()
    for row in rows:
        ids, labels = torch.tensor([row["input_ids"]]), torch.tensor(row["labels"])
        learnt = labels[1:] != -100
        with torch.no_grad():
            ours, theirs = (
                model(ids).logits[0, :-1][learnt, :tokens].log_softmax(-1)
                for model in (student, teacher)
            )
        found.append(kl_div(ours, theirs, reduction="sum", log_target=True))
    return torch.stack(found)


@pytest.mark.slow
@pytest.mark.parametrize("lmbda", [0.0, 1.0])
def test_the_students_distribution_moves_to_the_teachers(lmbda: float, tmp_path: Path) -> None:
    training = training_of(tmp_path, lmbda=lmbda, max_completion_length=8, learning_rate=0.02)
    training.arguments["eval_strategy"] = "no"
    teacher = training.load_teacher()
    before = distance(training, teacher, training.train).sum()
    distill.trainer(training).train()
    after = distance(training, teacher, training.train).sum()
    assert after < (0.95 if lmbda else 0.6) * before


def test_the_loss_is_the_divergence_of_what_is_learnt_however_a_batch_is_cut(
    tmp_path: Path,
) -> None:
    training = training_of(tmp_path)
    training.tokenizer.pad_token = training.tokenizer.eos_token
    made: Any = distill.trainer(training)
    rows = made.train_dataset[:3]
    tokens = [sum(label != -100 for label in row["labels"]) for row in rows]
    apart = distance(training, made.teacher, rows).sum() / sum(tokens)
    with torch.no_grad():
        together = made.compute_loss(made.model, made.data_collator(rows))
        cut = [
            made.compute_loss(made.model, made.data_collator([row]), num_items_in_batch=sum(tokens))
            for row in rows
        ]
    assert together.item() == pytest.approx(apart.item(), rel=1e-4)
    assert sum(cut).item() == pytest.approx(apart.item(), rel=1e-4)  # type: ignore[union-attr]


def test_a_batch_of_the_students_own_keeps_the_prompts_and_learns_the_new_answers(
    tmp_path: Path,
) -> None:
    made: Any = distill.trainer(training_of(tmp_path, lmbda=1.0, max_completion_length=5))
    batch = made.data_collator(made.train_dataset[:4])
    (answered,), count = made.get_batch_samples(iter([batch]), 1, made.args.device)
    end = made.processing_class.eos_token_id
    learnt = 0
    for row, ids, labels in zip(
        made.train_dataset[:4], answered["input_ids"], answered["labels"], strict=True
    ):
        start = next(i for i, label in enumerate(row["labels"]) if label != -100)
        assert ids[:start].tolist() == row["input_ids"][:start]
        assert set(labels[:start].tolist()) == {-100}
        answer = labels[labels != -100].tolist()
        assert 1 <= len(answer) <= 5 and end not in answer[:-1]
        learnt += len(answer)
    assert count == learnt


def test_beta_goes_from_forward_over_jensen_shannon_to_reverse() -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(2, 3, 7)
    ours, theirs = student.log_softmax(-1), teacher.log_softmax(-1)
    mixed = (ours.exp() / 2 + theirs.exp() / 2).log()

    def kl(of: torch.Tensor, to: torch.Tensor) -> torch.Tensor:
        return (of.exp() * (of - to)).sum(-1)

    expected = {
        0.0: kl(theirs, ours),
        0.5: kl(theirs, mixed) / 2 + kl(ours, mixed) / 2,
        1.0: kl(ours, theirs),
    }
    for beta, value in expected.items():
        torch.testing.assert_close(divergence(student, teacher, beta), value)


def test_a_teacher_of_another_vocabulary_is_refused(tmp_path: Path) -> None:
    training = training_of(tmp_path)
    training.load_teacher_tokenizer = lambda: train_tokenizer(["other words"], 270)
    with pytest.raises(
        ValueError, match=r"of the student's 3\d\d tokens are others to the teacher"
    ):
        distill.trainer(training)
