"""Labels from examples: as turns for a teacher, as sentences for the embedding model."""

import pytest

from assets.records import Document
from assets.teacher.tasks import few_shot_label as task
from tests.assets.teacher.tasks.talking import checked, with_stand_ins

OPTIONS = task.Options(
    labels={"billing": "It is about an invoice or a payment.", "login": "It is about signing in."},
    examples={
        "billing": [
            "I was charged twice.",
            "Where do I find my invoice?",
            "My card was declined.",
            "Can I get a refund for June?",
        ],
        "login": ["My password does not work.", "I never get the code by text message."],
    },
    shots_per_label=2,
)


def document(text: str, id: str = "d") -> Document:
    return Document(id, "g", "train", text)


def test_the_worked_example_gives_the_sample_that_it_names() -> None:
    made, _ = with_stand_ins(task, task.EXAMPLE.document, task.EXAMPLE_OPTIONS)
    assert made == task.EXAMPLE.samples


def test_the_teacher_sees_examples_of_each_label_as_turns() -> None:
    messages = task.messages(document("Why was I billed?"), OPTIONS)
    answers = [m["content"] for m in messages if m["role"] == "assistant"]
    assert [m["role"] for m in messages] == ["system", *["user", "assistant"] * 4, "user"]
    assert sorted(answers) == ['{"label": "billing"}'] * 2 + ['{"label": "login"}'] * 2
    assert "Why\u02c6was\u02c6I\u02c6billed?" in messages[-1]["content"]


def test_which_examples_and_in_which_order_follows_from_the_document() -> None:
    seen = [str(task.messages(document("Hm?", f"d{n}"), OPTIONS)) for n in range(20)]
    assert len(set(seen)) > 5
    assert seen[3] == str(task.messages(document("Hm?", "d3"), OPTIONS))


def test_a_document_is_no_example_of_itself() -> None:
    messages = task.messages(document("My password does not work."), OPTIONS)
    assert sum("password" in message["content"] for message in messages) == 1


def test_offline_the_label_is_that_of_the_nearest_examples_and_description() -> None:
    documents = [document("You took the money two times.", "a"), document("Wrong passcode.", "b")]
    made = task.offline(documents, OPTIONS)
    assert made["a"] == [{"body": "You took the money two times.", "label": "billing"}]
    assert made["b"] == [{"body": "Wrong passcode.", "label": "login"}]


def test_the_audit_finds_a_label_that_the_examples_contradict() -> None:
    text = "My password is refused, I can't sign in."
    wrong = checked({"body": text, "label": "billing"}, document(text))
    assert "more like login" in task.faults([wrong], OPTIONS)["s"]


def test_a_label_without_examples_and_examples_without_label_are_refused() -> None:
    labels = {"good": "praise", "bad": "blame"}
    with pytest.raises(ValueError, match="'bad' has no examples; zero_shot_label needs none"):
        task.Options(labels=labels, examples={"good": ["Lovely."]})
    with pytest.raises(ValueError, match="examples of 'odd', which is none of the labels"):
        task.Options(labels=labels, examples={"good": ["a"], "bad": ["b"], "odd": ["c"]})
