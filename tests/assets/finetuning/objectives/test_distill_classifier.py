"""What a student learns of its teacher, that the teacher is asked once, and what is left of it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    LlamaConfig,
    LlamaForCausalLM,
)

from assets.finetuning.distillation import (
    DistillingTrainer,
    distilling_trainer,
    soft_loss,
    teacher_logits,
)
from assets.finetuning.objectives.distill_classifier import Options
from assets.finetuning.preparing import prepare
from assets.loading.layers import keep_layers
from assets.loading.models import load_base, load_tuned
from tests.assets.finetuning import tiny


def prepared(root: Path, **section: object) -> Any:
    asked = tiny.job(tiny.config("distill_classifier", "full", **section), root)
    return prepare(asked, root, lambda line: None)[1]


def test_the_loss_is_the_one_that_is_reckoned_by_hand() -> None:
    student, teacher = torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0, 1.0]])
    p, q = 1 / (1 + torch.e**-1.0), 1 / (1 + torch.e**-0.5)  # at T = 2: of the teacher, the student
    kl = p * torch.log(torch.tensor(p / q)) + (1 - p) * torch.log(torch.tensor((1 - p) / (1 - q)))
    torch.testing.assert_close(soft_loss(student, teacher, 2.0), 4 * kl)
    mixing = SimpleNamespace(
        args=SimpleNamespace(label_smoothing_factor=0.0), said=teacher, alpha=0.3, temperature=2.0
    )
    mixed = DistillingTrainer.mixed_loss(
        mixing,  # type: ignore[arg-type]
        SimpleNamespace(logits=student),
        torch.tensor([1]),
    )
    torch.testing.assert_close(mixed, 0.3 * 4 * kl + 0.7 * torch.log(torch.tensor(1 + torch.e)))


@pytest.mark.slow
def test_without_a_share_of_the_teacher_it_is_plain_classification(tmp_path: Path) -> None:
    section: dict[str, Any] = {
        "max_steps": 3,
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 2,
    }
    _, plain = tiny.train(tmp_path, "classify", "full", **section)
    _, student = tiny.train(
        tmp_path, "distill_classifier", "full", alpha=0, teacher_model=None, **section
    )
    assert student["weights_hash"] == plain["weights_hash"]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_student_of_fewer_layers_nears_its_teacher_and_comes_back_as_it_was(
    method: str, tmp_path: Path
) -> None:
    section: dict[str, Any] = {"alpha": 1.0, "student_layers": 1, "num_train_epochs": 8}
    folder, manifest = tiny.train(tmp_path, "distill_classifier", method, **section)
    losses = [entry["eval_loss"] for entry in manifest["history"] if "eval_loss" in entry]
    assert losses[-1] < losses[0]
    tuned, _ = load_tuned(folder)
    again, base = load_tuned(folder)[0], load_base(manifest)
    assert base.config.num_hidden_layers == tuned.config.num_hidden_layers == 1
    ids = torch.tensor([[5, 6, 7]])
    with torch.inference_mode():
        assert torch.equal(tuned(input_ids=ids).logits, again(input_ids=ids).logits)


def test_the_teacher_reads_each_row_once_and_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    teacher = BertForSequenceClassification.from_pretrained(tiny.classifier()).eval()
    rows = [[5, 6, 7], [8, 9], [7, 6, 5], [4], [9, 8]]
    alone = [teacher(input_ids=torch.tensor([ids])).logits[0].tolist() for ids in rows]
    read: list[int] = []
    forward = teacher.forward
    monkeypatch.setattr(
        teacher,
        "forward",
        lambda **batch: (read.extend(map(len, batch["input_ids"])), forward(**batch))[1],
    )
    said = teacher_logits(teacher, rows, [1, 0])
    assert read == [1, 2, 2, 3, 3]
    torch.testing.assert_close(torch.tensor(said), torch.tensor(alone).flip(1), rtol=0, atol=1e-6)


def test_the_teacher_is_asked_before_the_training_and_never_again(tmp_path: Path) -> None:
    training, loaded = prepared(tmp_path, max_steps=4), []
    load = training.load_teacher
    training.load_teacher = lambda: loaded.append(load()) or loaded[-1]
    trainer = distilling_trainer(training)
    loaded[0].forward = None  # whoever asks now fails
    trainer.train()
    assert len(loaded) == 1


def test_the_teacher_s_labels_may_stand_in_another_order_but_must_be_the_same(
    tmp_path: Path,
) -> None:
    said, turned = (
        distilling_trainer(prepared(tmp_path, teacher_model=tiny.classifier(labels)))
        for labels in (("safe", "phishing"), ("phishing", "safe"))
    )
    for one, other in zip(said.train_dataset, turned.train_dataset, strict=True):  # type: ignore[arg-type]
        assert one["teacher_logits"] == other["teacher_logits"][::-1]
    with pytest.raises(ValueError, match="knows the labels good, bad, the student learns safe, ph"):
        distilling_trainer(prepared(tmp_path, teacher_model=tiny.classifier(("good", "bad"))))


def test_a_teacher_reads_by_its_own_tokenizer(tmp_path: Path) -> None:
    training = prepared(tmp_path)
    own = distilling_trainer(training).train_dataset[0]["teacher_logits"]  # type: ignore[index]
    text, row = training.train[0]["text"], training.train[0]
    training.train[0] = row | {"input_ids": [3, 3, 3]}  # what the student reads is another thing
    assert distilling_trainer(training).train_dataset[0]["teacher_logits"] == own  # type: ignore[index]
    ids = AutoTokenizer.from_pretrained(tiny.classifier())(text, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        wanted = training.load_teacher()(input_ids=ids).logits[0]
    torch.testing.assert_close(torch.tensor(own), wanted)


def test_layers_are_taken_evenly() -> None:
    small = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8, "vocab_size": 9}
    bert = BertForSequenceClassification(BertConfig(**small, num_hidden_layers=12))  # type: ignore[arg-type]
    before = list(bert.bert.encoder.layer)
    keep_layers(bert, 6)
    assert [before.index(layer) for layer in bert.bert.encoder.layer] == [0, 2, 4, 7, 9, 11]
    with pytest.raises(ValueError, match="student_layers 7: the base model has 6"):
        keep_layers(bert, 7)
    llama = LlamaForCausalLM(LlamaConfig(**small, num_hidden_layers=4))  # type: ignore[arg-type]
    keep_layers(llama, 2)
    assert llama.generate(torch.tensor([[1, 2]]), max_new_tokens=3, pad_token_id=0).shape[1] > 2  # type: ignore[operator]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "there is none: name one as teacher_model .*, or set alpha: 0"),
        ({"teacher_model": "scratch"}, "'scratch' has learnt nothing"),
        ({"teacher_model": "/no/such/folder"}, "no config.json in that folder"),
        ({"teacher_model": "pipeline:x", "temperature": 0}, "greater than 0"),
    ],
)
def test_a_student_that_could_not_learn_is_refused_at_load(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Options(**options)
