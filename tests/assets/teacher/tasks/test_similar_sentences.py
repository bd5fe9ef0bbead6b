"""Paraphrases and hard negatives: written by a teacher, or mined among the texts."""

import pytest

from assets.records import Document, Split
from assets.teacher.protocol import Refused
from assets.teacher.tasks import similar_sentences as task
from tests.assets.teacher.tasks.talking import checked, document, with_stand_ins

OPTIONS = task.Options()
LATE = "The parcel came two weeks late."
TEXTS = {
    "a": "How do I reset my password?",
    "b": "I forgot my password, how can I reset it?",
    "c": "How do I change my email address?",
    "d": "The soup needs more salt and a bay leaf.",
}


def texts(split: Split = "train") -> list[Document]:
    return [Document(id, f"group of {id}", split, text) for id, text in TEXTS.items()]


def test_the_worked_example_gives_the_sample_that_it_names() -> None:
    made, _ = with_stand_ins(task, task.EXAMPLE.document, OPTIONS)
    assert made == task.EXAMPLE.samples


@pytest.mark.parametrize(
    ("paraphrase", "negative", "problem"),
    [
        ("It was a fortnight overdue.", None, "no text under 'negative'"),
        ("the parcel came two weeks late", "It came early.", "is a copy: 100%"),
        ("It was a fortnight overdue.", LATE.upper(), "the negative is the text itself"),
        ("It was overdue.", "It was overdue!", "the negative is the paraphrase itself"),
    ],
)
def test_an_answer_that_teaches_nothing_is_refused(paraphrase, negative, problem) -> None:
    answer = {"paraphrase": paraphrase, "negative": negative}
    with pytest.raises(ValueError, match=problem):
        task.parse(document(LATE), answer, OPTIONS)


def test_offline_the_nearest_text_is_the_positive_and_a_further_one_the_negative() -> None:
    made = task.offline(texts(), OPTIONS)
    anchor, positive, negative = (TEXTS[id] for id in "abc")
    assert made["a"] == [{"anchor": anchor, "positive": positive, "negative": negative}]
    assert task.offline(texts()[::-1], OPTIONS) == made


def test_offline_a_text_without_partner_says_why_it_gives_no_sample() -> None:
    reason = "no other text of the split is like it: similarity 0.6 to 0.95"
    assert task.offline(texts(), OPTIONS)["d"] == Refused(reason)


def test_offline_a_near_copy_is_no_positive_and_a_lone_pair_has_no_negative() -> None:
    copy = Document("e", "other", "train", "How do I reset my password??")
    [a, b, *_] = texts()
    made = task.offline([a, b, copy], OPTIONS)
    assert made["a"] == Refused(
        "no other group of the split has a text near it that says something else"
    )
    assert isinstance(task.offline([a, copy], OPTIONS)["a"], Refused)


def test_offline_no_pair_crosses_a_split() -> None:
    [a, b, c, d] = texts()
    moved = Document("b", "group of b", "test", b.text)
    assert isinstance(task.offline([a, moved, c, d], OPTIONS)["a"], Refused)


def test_the_audit_finds_copies_and_negatives_that_mean_the_same() -> None:
    def sample(positive: str, negative: str, id: str):
        fields = {"anchor": LATE, "positive": positive, "negative": negative}
        return checked(fields, document(LATE), id)

    overdue = "My delivery was a fortnight overdue."
    good = sample(overdue, "The parcel came two weeks early.", "good")
    copy = sample("The parcel came two weeks late!", "The parcel came early.", "copy")
    same = sample(overdue, "The parcel was two weeks late.", "same")
    found = task.faults([good, copy, same], OPTIONS)
    assert found["copy"] == "the paraphrase is a copy: 100% of the word pairs are the text's"
    assert found["same"].startswith("the negative is a paraphrase: 0.9")
    assert "good" not in found


def test_similarities_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match="min_similarity 0.6 < max_similarity 0.5 must hold"):
        task.Options(max_similarity=0.5)
