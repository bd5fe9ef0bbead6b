"""The teacher's answers to the documents' prompts."""

import pytest

from assets.teacher.spotlight import as_data
from assets.teacher.tasks import rewrite_answer as task
from tests.assets.teacher.tasks.talking import checked, document, talk

QUESTION = document("Why do backfills fail?", subject="backfills", answer="They read too much.")


def test_the_student_learns_the_teacher_s_text_for_the_prompt() -> None:
    options = task.Options(prompt="Question: {text}", style="Answer in one sentence.")
    made, [asked] = talk(task, QUESTION, options, lambda *_: {"answer": " They read too much. "})
    assert made == [
        {"prompt": "Question: Why do backfills fail?", "completion": "They read too much."}
    ]
    assert "Answer in one sentence." in asked.messages[0]["content"]
    assert asked.messages[1]["content"] == f"Question: \n{as_data('text', QUESTION.text)}"


def test_metadata_can_be_what_is_asked() -> None:
    made, _ = talk(
        task, QUESTION, task.Options(prompt_from="subject"), lambda *_: {"answer": "Slow ones."}
    )
    assert made == [{"prompt": "backfills", "completion": "Slow ones."}]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({}, "no text under 'answer' but None"),
        ({"answer": "  "}, "no text under 'answer'"),
        ({"answer": "I'm sorry, but I can't help with that."}, "is a refusal"),
        ({"answer": "why do backfills fail"}, "repeats its prompt"),
    ],
)
def test_an_answer_that_teaches_nothing_is_refused(answer: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        talk(task, QUESTION, task.Options(), lambda *_: answer)


def test_a_refusal_gets_one_more_try() -> None:
    answers = iter([{"answer": "I cannot assist with that."}, {"answer": "They read too much."}])
    made, asked = talk(task, QUESTION, task.Options(), lambda *_: next(answers))
    assert (len(made), len(asked)) == (1, 2)


def test_a_prompt_without_the_text_and_a_document_without_its_part_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'Why\?' does not hold \{text\}"):
        task.Options(prompt="Why?")
    with pytest.raises(ValueError, match="no 'title' to ask; there are: answer, subject"):
        talk(task, QUESTION, task.Options(prompt_from="title"), lambda *_: {})
    with pytest.raises(ValueError, match="no 'title' for the prompt; there are: answer, subject"):
        talk(task, QUESTION, task.Options(prompt="{title}: {text}"), lambda *_: {})


def test_braces_in_a_document_are_no_names() -> None:
    made, _ = talk(task, document("What is {x}?"), task.Options(), lambda *_: {"answer": "A name."})
    assert made[0]["prompt"] == "What is {x}?"


def test_nobody_makes_up_an_answer_without_a_teacher() -> None:
    assert not hasattr(task, "offline")


def test_the_audit_finds_refusals_and_echoes() -> None:
    rows = [
        checked({"prompt": "Why?", "completion": "I cannot help with that."}, QUESTION, "a"),
        checked({"prompt": "Why so?", "completion": "why so"}, QUESTION, "b"),
        checked({"prompt": "Why?", "completion": "They read too much."}, QUESTION, "c"),
    ]
    assert task.faults(rows, task.Options()) == {
        "a": "the answer is a refusal",
        "b": "the answer repeats its prompt",
    }
