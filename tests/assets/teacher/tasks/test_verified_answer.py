"""Several answers, and those that a verifier accepts."""

from typing import Any

import pytest

from assets.teacher.protocol import Message
from assets.teacher.spotlight import MARKER, unmarked
from assets.teacher.tasks import verified_answer as task
from tests.assets.teacher.tasks.talking import checked, document, talk

CRATES = document("52 crates of 24 bottles: how many?", answer="1,248")
SAID = ["1248 bottles.", "1,148 bottles.", "They are 1248.", "They are 1248."]


def say(messages: list[Message], number: int) -> dict[str, object]:
    return {"answer": SAID[number]}


def kept(**keys: Any) -> list[str]:
    made, _ = talk(task, CRATES, task.Options(**keys), say)
    return [fields["completion"] for fields in made]


def test_answers_that_the_rule_accepts_are_kept_with_their_rate() -> None:
    made, asked = talk(task, CRATES, task.Options(), say)
    assert made == [{"prompt": CRATES.text, "completion": "1248 bottles.", "accepted": "3/4"}]
    assert [query.sample_index for query in asked] == [0, 1, 2, 3]
    assert len({str(query.messages) for query in asked}) == 1


def test_all_different_accepted_answers_can_be_kept() -> None:
    assert kept(keep="all") == ["1248 bottles.", "They are 1248."]


def test_a_refused_answer_counts_as_not_accepted() -> None:
    def refuses_twice(messages: list[Message], number: int) -> dict[str, object]:
        return say(messages, number) if number != 1 else {"answer": "I cannot assist with that."}

    made, asked = talk(task, CRATES, task.Options(), refuses_twice)
    assert made[0]["accepted"] == "3/4"
    assert len(asked) == 5


def test_a_document_whose_answers_are_all_wrong_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match=r"none of 3 answers was accepted: .*another number"):
        talk(task, CRATES, task.Options(n_answers=3), lambda *_: {"answer": "Eleven, or 11."})


def test_a_judge_scores_each_answer_and_the_best_stays() -> None:
    scores = {"1248 bottles.": 7, "1,148 bottles.": 2, "They are 1248.": 9}

    def judges(messages: list[Message], number: int) -> dict[str, object]:
        if "grade" not in messages[0]["content"]:
            return say(messages, number)
        shown = unmarked(messages[1]["content"])
        return {"reason": "So.", "score": next(s for a, s in scores.items() if a in shown)}

    options = task.Options(verifier="judge", verify={"rubric": "Right."}, keep="best")
    made, asked = talk(task, CRATES, options, judges)
    assert made == [{"prompt": CRATES.text, "completion": "They are 1248.", "accepted": "3/4"}]
    judged = [query.messages[1]["content"] for query in asked[4:]]
    lines = "\n".join(judged).split("\n")
    assert all(line.startswith((MARKER, "<")) for line in lines)


def test_the_judge_sees_no_personal_data() -> None:
    safe = document("52 crates for <name-3fa2c1>: how many?", answer="1,248")
    about = document("52 crates for Anna Lindholm: how many?", answer="1,248")

    def judges(messages: list[Message], number: int) -> dict[str, object]:
        told = "\n".join(message["content"] for message in messages)
        assert "Lindholm" not in told
        return {"answer": "1248", "reason": "So.", "score": 9}

    made, _ = talk(task, about, task.Options(verifier="judge"), judges, safe)
    assert made[0]["prompt"] == about.text


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"verifier": "oracle"}, "unknown verifier 'oracle'; there are: exact_match, json_schema"),
        ({"verifier": "length", "verify": {"min_word": 3}}, "min_word"),
        ({"verifier": "regex", "verify": {"pattern": "("}}, "is no pattern"),
    ],
)
def test_an_unknown_verifier_or_key_is_refused_before_anything_runs(
    keys: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        task.Options(**keys)


def test_the_audit_verifies_again() -> None:
    rows = [
        checked({"prompt": CRATES.text, "completion": "1,248", "accepted": "1/1"}, CRATES, "a"),
        checked({"prompt": CRATES.text, "completion": "1,247", "accepted": "1/1"}, CRATES, "b"),
        checked({"prompt": CRATES.text, "completion": "I can't help with that."}, CRATES, "c"),
    ]
    assert task.faults(rows, task.Options()) == {
        "b": "another number than the known one",
        "c": "the answer is a refusal",
    }
