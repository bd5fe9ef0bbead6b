"""Labels from descriptions: people's own where they count, the method's where they don't."""

import json
from typing import Any

import pytest

from assets.records import Document, Split
from assets.teacher.protocol import Refused
from assets.teacher.spotlight import RULE
from assets.teacher.tasks import zero_shot_label as task
from tests.assets.teacher.tasks.talking import checked, talk, with_stand_ins

OPTIONS = task.Options(
    labels={
        "positive": "The customer is happy and would recommend it.",
        "negative": "The customer is disappointed and complains.",
    }
)
HAPPY = "Lovely shop. I am so happy with the chair, and I would recommend it to everybody."
CROSS = "The zip broke on the first day. I complained and nobody answers. Very disappointing."


def document(text: str, split: Split = "train", **metadata: str) -> Document:
    return Document(text[:9] + split, "g", split, text, metadata)


def test_the_worked_example_gives_the_sample_that_it_names() -> None:
    made, [query] = with_stand_ins(task, task.EXAMPLE.document, task.EXAMPLE_OPTIONS)
    assert made == task.EXAMPLE.samples
    assert query.messages[0]["content"].endswith(RULE)


def test_the_prompt_says_what_each_label_means_and_the_schema_takes_no_other() -> None:
    _, [query] = talk(task, document(HAPPY), OPTIONS, lambda *_: {"label": "positive"})
    assert "- negative: The customer is disappointed" in query.messages[0]["content"]
    assert '["positive", "negative", "none"]' in json.dumps(query.schema)


def test_a_subject_is_read_and_kept() -> None:
    mail = document(CROSS, subject="Broken again")
    [fields], [query] = talk(task, mail, OPTIONS, lambda *_: {"label": "negative"})
    assert "Broken\u02c6again" in query.messages[1]["content"]
    assert fields == {"body": CROSS, "subject": "Broken again", "label": "negative"}


def test_a_training_sample_gets_the_teachers_label_beside_peoples() -> None:
    about = document(HAPPY, gold_label="positive")
    [fields], _ = talk(task, about, OPTIONS, lambda *_: {"label": "negative"})
    assert fields == {"body": HAPPY, "label": "negative", "gold_label": "positive"}


def test_a_test_document_that_people_labelled_is_not_asked_about() -> None:
    about = document(HAPPY, "test", gold_label="positive")
    made = task.stages(about, about, OPTIONS)
    with pytest.raises(StopIteration) as end:
        next(made)
    assert end.value.value == [{"body": HAPPY, "label": "positive"}]


def test_a_teacher_that_finds_no_label_is_not_pressed_for_one() -> None:
    asked: list[Any] = []

    def say(messages: list[dict[str, str]], _: int) -> dict[str, object]:
        asked.append(messages)
        return {"label": "none"}

    with pytest.raises(ValueError, match="no label fits the text"):
        talk(task, document("It is a chair."), OPTIONS, say)
    assert len(asked) == 1


def test_a_label_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ValueError, match="label is 'great'; allowed: positive, negative, none"):
        talk(task, document(HAPPY), OPTIONS, lambda *_: {"label": "great"})


def test_offline_the_text_gets_the_label_that_it_is_most_like_in_any_order() -> None:
    documents = [
        document(HAPPY, gold_label="positive"),
        document(CROSS),
        document(CROSS, "test", gold_label="positive"),
        document(CROSS, "eval", gold_label="odd"),
    ]
    made = task.offline(documents, OPTIONS)
    assert made[documents[0].id] == [{"body": HAPPY, "label": "positive", "gold_label": "positive"}]
    assert made[documents[1].id] == [{"body": CROSS, "label": "negative"}]
    assert made[documents[2].id] == [{"body": CROSS, "label": "positive"}]
    assert made[documents[3].id] == Refused(
        "gold_label 'odd' is none of the labels: positive, negative"
    )
    assert task.offline(documents[::-1], OPTIONS) == made


def test_offline_a_text_between_two_labels_gives_no_sample() -> None:
    [outcome] = task.offline(
        [document("The box is blue.")], OPTIONS.model_copy(update={"min_margin": 0.15})
    ).values()
    assert isinstance(outcome, Refused)
    assert "less than min_margin 0.15" in outcome.reason


def test_the_audit_finds_a_label_that_the_embedding_model_contradicts() -> None:
    good = checked({"body": HAPPY, "label": "positive"}, document(HAPPY), "good")
    bad = checked({"body": HAPPY, "label": "negative"}, document(HAPPY), "bad")
    peoples = document(HAPPY, "test", gold_label="negative")
    gold = checked({"body": HAPPY, "label": "negative"}, peoples, "gold")
    [(id, reason)] = task.faults([good, bad, gold], OPTIONS).items()
    assert id == "bad"
    assert reason.startswith("labelled negative, but 0.")


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        ({"good": "praise"}, "at least 2"),
        ({"good": "praise", "bad": " "}, "'bad' needs words"),
        ({"good": "praise", "none": "else"}, "'none' is what a teacher answers"),
    ],
)
def test_labels_that_cannot_work_are_refused_at_load(labels, problem) -> None:
    with pytest.raises(ValueError, match=problem):
        task.Options(labels=labels)
