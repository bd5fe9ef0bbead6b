import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from assets.discovery import Options
from assets.records import Document, Sample
from assets.teacher.audit import audit_by_model, audit_by_rules, draw, judge_messages
from assets.teacher.protocol import Checked
from tests.assets.teacher.scripted import ScriptedTeacher


def row(number: int, completion: str = "Prune partitions first.") -> Checked:
    document = Document(
        f"d{number}", f"g{number}", "train", f"Post {number} by Amara Obi", {"people": "Amara Obi"}
    )
    fields = {"prompt": f"idea {number}", "completion": completion}
    return Checked(
        Sample(f"s{number}", document.id, document.group_id, "train", fields, "m"), document
    )


TASK: Any = SimpleNamespace()


def test_the_rows_are_drawn_by_their_ids_whatever_their_order():
    rows = [row(n) for n in range(50)]
    assert draw(rows, 10) == draw(rows[::-1], 10)
    assert len(draw(rows, 10)) == 10
    assert draw(rows, 10) == draw(rows, 20)[:10]


@pytest.mark.parametrize(
    ("completion", "reason"),
    [
        ("  ", "completion is empty"),
        ("I'm sorry, but I can't help with that.", "completion is a refusal"),
        ("ˆPruneˆpartitions", "completion holds the marker of the prompt"),
    ],
)
def test_a_sample_that_nothing_can_be_learnt_from_is_a_fault(completion: str, reason: str):
    found = audit_by_rules(TASK, Options(), [row(1), row(2, completion)])
    assert [(f.sample_id, f.by, f.reason) for f in found.faults] == [("s2", "rule", reason)]


def test_the_tasks_own_rules_are_asked_too():
    task: Any = SimpleNamespace(faults=lambda rows, options: {"s1": "quotes its post"})
    found = audit_by_rules(task, Options(), [row(1), row(2, "")])
    assert [f.reason for f in found.faults] == ["quotes its post", "completion is empty"]


def judged(say: Any, rows: list[Checked]) -> tuple[Any, ScriptedTeacher]:
    judge = ScriptedTeacher(say)
    audit = audit_by_rules(TASK, Options(), rows)
    asyncio.run(audit_by_model(audit, "Write the post.", judge, 2, "key"))
    return audit, judge


def test_agreement_is_the_share_of_rows_on_which_rules_and_second_model_say_the_same():
    rows = [row(1), row(2), row(3), row(4, "")]

    def say(messages: list[dict[str, str]], index: int) -> dict[str, object]:
        bad = "idea 3" in messages[1]["content"].replace("ˆ", " ")
        return {"good": not bad, "reason": "off the post" if bad else "fine"}

    audit, judge = judged(say, rows)
    assert (audit.judged, len(judge.asked)) == (4, 4)
    assert audit.agreement == 0.5  # of the model: 3 is bad; of the rules: 4 is bad
    assert audit.faulty == {"s3", "s4"}


def test_a_second_model_that_gives_no_verdict_finds_no_fault_and_counts_as_none():
    audit, _ = judged(lambda messages, index: "no JSON", [row(1)])
    assert (audit.judged, audit.agreement, audit.faults) == (0, None, [])


def test_the_second_model_reads_no_name_either():
    messages = judge_messages(row(1, "Amara Obi says hi"), "Write the post.", "key")
    assert "Amara" not in messages[1]["content"]
    assert "Write the post." in messages[0]["content"]
