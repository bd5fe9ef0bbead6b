import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from assets.discovery import Options
from assets.records import Document, Sample
from assets.teacher.generate import TeacherRun
from assets.teacher.generation import Generation, finish, word
from assets.teacher.protocol import Example, Refused, Request
from assets.teacher.spotlight import as_data
from tests.assets.teacher.scripted import ScriptedTeacher

SCHEMA: dict[str, object] = {"type": "object"}


def document(text: str, **metadata: str) -> Document:
    return Document(text, f"g-{text}", "train", text, metadata)


def one_question(prompt: str = "Shout it.") -> Any:
    """A task that asks for the text in capitals."""

    def parse(document: Document, answer: dict, options: Any) -> list[dict[str, str]]:
        if answer.get("loud") != document.text.upper():
            raise ValueError(f"{answer.get('loud')!r} is not loud")
        return [{"prompt": document.text, "completion": answer["loud"]}]

    return SimpleNamespace(
        VERSION="1",
        SCHEMA=SCHEMA,
        EXAMPLE=Example(document("hm"), {"loud": "HM"}, []),
        messages=lambda d, o: [{"role": "user", "content": f"{prompt}\n{as_data('t', d.text)}"}],
        parse=parse,
    )


def two_answers_and_a_judge() -> Any:
    def stages(document: Document, safe: Document, options: Any):
        ask = [{"role": "user", "content": as_data("t", safe.text)}]
        both = yield [
            Request(ask, SCHEMA, lambda a: a["loud"], sample_index=n, stand_in={"loud": "X"})
            for n in range(2)
        ]
        if any(isinstance(one, Refused) for one in both):
            raise ValueError("an answer is missing")
        judge = [{"role": "user", "content": "Which? " + as_data("a", "/".join(both))}]
        (best,) = yield [Request(judge, SCHEMA, lambda a: int(a["best"]), stand_in={"best": 0})]
        return [{"prompt": document.text, "completion": both[best]}]

    example = Example(document("hm"), {"best": 0}, [])
    return SimpleNamespace(VERSION="1", SCHEMA=SCHEMA, EXAMPLE=example, stages=stages)


def loud(messages: list[dict[str, str]], sample_index: int) -> dict[str, object]:
    return {"loud": messages[0]["content"].split("\n")[-2].strip("ˆ").replace("ˆ", " ").upper()}


def run_of(task: Any, teacher: ScriptedTeacher, **more: Any) -> TeacherRun:
    return TeacherRun("task", task, Options(), "m", teacher, max_concurrency=4, **more)


def generation(task: Any, teacher: ScriptedTeacher, documents: list[Document]) -> Generation:
    return asyncio.run(run_of(task, teacher).run(documents))


TEXTS = [document(f"text {n}") for n in range(30)]


def test_one_more_document_is_exactly_one_request():
    teacher = ScriptedTeacher(loud)
    first = generation(one_question(), teacher, TEXTS)
    assert (first.new, first.cached, len(first.samples)) == (30, 0, 30)
    again = generation(one_question(), teacher, [*TEXTS, document("one more")])
    assert (again.new, again.cached) == (1, 30)
    assert len(teacher.asked) == 31


def test_one_other_letter_in_the_prompt_asks_for_all_again_and_the_estimate_says_so_before():
    teacher = ScriptedTeacher(loud)
    generation(one_question(), teacher, TEXTS)
    assert list(run_of(one_question(), teacher).missing(TEXTS)) == []
    assert len(list(run_of(one_question("Shout it!"), teacher).missing(TEXTS))) == 30


def test_the_same_samples_come_out_whatever_the_order_and_whoever_answers():
    teacher = ScriptedTeacher(loud)
    made = [generation(one_question(), teacher, docs) for docs in (TEXTS, TEXTS[::-1])]
    for one in made:
        finish(one, one_question(), Options(), {d.id: d for d in TEXTS})
    assert made[0].samples == made[1].samples
    assert made[0].requests == made[1].requests


def test_two_documents_that_ask_the_same_thing_pay_once():
    teacher = ScriptedTeacher(loud)
    twins = [Document(str(n), "g", "train", "the same") for n in range(8)]
    made = generation(one_question(), teacher, twins)
    assert (len(teacher.asked), made.new, len(made.samples)) == (1, 1, 8)


def test_a_refused_answer_is_asked_once_more_with_the_reason_then_kept_as_failed():
    teacher = ScriptedTeacher(lambda messages, index: {"loud": "quiet"})
    made = generation(one_question(), teacher, TEXTS[:1])
    assert [len(messages) for messages in teacher.asked] == [1, 3]
    assert "ˆ'quiet'ˆisˆnotˆloud" in teacher.asked[1][2]["content"]
    assert [row.reason for row in made.failed] == ["'quiet' is not loud"]


def test_a_problem_of_the_server_is_no_answer_to_repair():
    teacher = ScriptedTeacher(lambda messages, index: "!the server is away")
    made = generation(one_question(), teacher, TEXTS[:1])
    assert len(teacher.asked) == 1
    assert made.failed[0].reason == "the server is away"


def test_what_stops_one_stops_all_and_the_answers_in_flight_are_kept():
    def say(messages: list[dict[str, str]], index: int) -> dict[str, object]:
        if "text 20" in messages[0]["content"].replace("ˆ", " "):
            raise RuntimeError("no credit left")
        return loud(messages, index)

    teacher = ScriptedTeacher(say)
    with pytest.raises(RuntimeError, match="no credit left"):
        generation(one_question(), teacher, TEXTS)
    assert 20 <= len(teacher.kept) < 30


def test_the_estimate_counts_the_judge_of_answers_that_nobody_gave_yet():
    def say(messages: list[dict[str, str]], index: int) -> dict[str, object]:
        return {"loud": f"A{index}", "best": 1}

    teacher = ScriptedTeacher(say)
    run = run_of(two_answers_and_a_judge(), teacher)
    assert len(list(run.missing(TEXTS))) == 2 * 30 + 1  # all stand-ins give the judge one question
    made = asyncio.run(run.run(TEXTS[:3]))
    assert {s.fields["completion"] for s in made.samples} == {"A1"}
    assert sum(s.cost_usd for s in made.samples) == pytest.approx(0.001 * 9)


def test_batches_go_stage_by_stage_and_end_where_the_live_run_ends():
    def say(messages: list[dict[str, str]], index: int) -> dict[str, object] | str:
        if "text 3" in messages[0]["content"].replace("ˆ", " "):
            return "!expired"
        return {"loud": f"{messages[0]['content'][3:9]}{index}", "best": index}

    teacher = ScriptedTeacher(say)
    run = run_of(two_answers_and_a_judge(), teacher)
    made = asyncio.run(run.run_in_batches(TEXTS[:5]))
    assert teacher.batches == [10, 4]
    assert len(made.samples) == 4
    assert [row.reason for row in made.failed] == ["an answer is missing"]
    assert (made.new, made.cached, made.prompt_tokens) == (14, 0, 10 * 12)
    live = generation(two_answers_and_a_judge(), ScriptedTeacher(say), TEXTS[:5])
    assert sorted(s.id for s in live.samples) == sorted(s.id for s in made.samples)


def test_a_request_that_would_hold_a_persons_number_is_never_sent(monkeypatch):
    import assets.teacher.generate as generate

    monkeypatch.setattr(generate, "without_personal_data", lambda document, key: document)
    teacher = ScriptedTeacher(loud)
    made = generation(one_question(), teacher, [document("ring +44 20 7946 0958"), TEXTS[0]])
    assert len(teacher.asked) == 1
    assert made.withheld == 1
    assert "withheld: the request would have held a person's phone" in made.failed[0].reason


def test_progress_is_told_with_what_was_asked_and_what_was_known():
    told: list[str] = []
    asyncio.run(run_of(one_question(), ScriptedTeacher(loud), say=told.append).run(TEXTS))
    assert told[-1].startswith("30 of 30 documents; 0 answers from the cache, 30 asked")


def test_a_task_may_change_or_drop_samples_once_all_are_there():
    task = one_question()
    task.finish = lambda checked, options: {
        c.sample.id: Refused("seen")
        if c.document.text == "text 1"
        else {**c.sample.fields, "n": "1"}
        for c in checked
    }
    made = generation(task, ScriptedTeacher(loud), TEXTS[:2])
    by_id = {d.id: d for d in TEXTS}
    finish(made, task, Options(), by_id)
    assert [s.fields["n"] for s in made.samples] == ["1"]
    assert [(f.document_id, f.reason) for f in made.failed] == [("text 1", "seen")]
    word(made, by_id, ["Say {prompt}"], [])
    assert made.samples[0].fields["prompt"] == "Say text 0"


def test_labels_are_compared_with_those_that_people_gave():
    def labelled(number: int, **fields: str) -> Sample:
        return Sample(str(number), "d", "g", "train", fields, "m")

    made = Generation(
        [labelled(0, label="good", gold_label="good"), labelled(1, label="good", gold_label="bad")]
    )
    made.samples.append(labelled(2, label="good"))
    assert made.agreement_with_people() == {"labelled_by_people": 2, "agreement_with_people": 0.5}
    assert Generation().agreement_with_people() == {}
