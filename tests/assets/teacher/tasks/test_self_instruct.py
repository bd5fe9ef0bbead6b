"""New tasks after the pattern of seeds, and the filter that keeps only new ones."""

import random
from typing import Any

import pytest

from assets.records import Document
from assets.teacher.protocol import Checked, Refused
from assets.teacher.spotlight import as_data
from assets.teacher.tasks import self_instruct as task
from tests.assets.teacher.tasks.talking import checked, document, talk

SEED = document("Name the fault in this log line.", input="OOMKilled: 137", output="No memory.")
SEEDS = [
    {"instruction": f"Do thing number {n}.", "input": "", "output": f"Done {n}."} for n in range(8)
]


def new(instruction: str, **parts: str) -> dict[str, str]:
    return {"task": "t", "instruction": instruction, "input": "", "output": "Fine.", **parts}


def asked_for(about: Document, **keys: Any) -> str:
    messages = task.messages(about, task.Options(**keys))
    return messages[1]["content"]


def test_a_new_task_is_a_sample_beside_its_seed() -> None:
    told = {"tasks": [new("Explain an exit code.", input="143", task="explain")]}
    made, _ = talk(task, SEED, task.Options(), lambda *_: told)
    assert made == [
        {
            "prompt": "Name the fault in this log line.\n\nOOMKilled: 137",
            "completion": "No memory.",
            "instruction": "Name the fault in this log line.",
            "input": "OOMKilled: 137",
            "task": "",
        },
        {
            "prompt": "Explain an exit code.\n\n143",
            "completion": "Fine.",
            "instruction": "Explain an exit code.",
            "input": "143",
            "task": "explain",
        },
    ]
    alone, _ = talk(task, SEED, task.Options(keep_seeds=False), lambda *_: told)
    assert alone == made[1:]


def test_demonstrations_are_drawn_by_the_hash_of_the_row_whatever_their_order() -> None:
    shown = asked_for(SEED, seeds=SEEDS)
    assert shown.count("<task-") == 4
    assert shown == asked_for(SEED, seeds=SEEDS[::-1])
    others = {asked_for(Document(id, "g", "train", SEED.text), seeds=SEEDS) for id in "abcdef"}
    assert len(others) > 3


def test_the_seed_comes_last_and_as_data() -> None:
    block = as_data("task", f"Instruction: {SEED.text}\nInput: OOMKilled: 137\nOutput: No memory.")
    assert asked_for(SEED, seeds=SEEDS).endswith(block)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (new("Short one"), "an instruction has 2 words"),
        (new("word " * 151), "an instruction has 151 words"),
        (new("Describe the attached image in a line."), "needs more than text: 'attached'"),
        (new("- list three faults of a log"), "begins with '-'"),
        (new("Write a line about faults.", output=" "), "an output is empty"),
        (new("Write a line about faults.", output="I can't help with that."), "is a refusal"),
        (new("Write this line once more.", input="Fine", output="fine."), "repeats its input"),
        (new("Name the fault in this log line!"), "is its seed again"),
        ({"instruction": "Write a line about it."}, "no text under 'task' but None"),
        ("a string", "a task is 'a string'"),
    ],
)
def test_a_task_that_is_of_no_use_is_left_out_with_its_reason(bad: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        talk(task, SEED, task.Options(), lambda *_: {"tasks": [bad]})
    good = new("Explain an exit code.")
    made, _ = talk(task, SEED, task.Options(), lambda *_: {"tasks": [bad, good]})
    assert [fields["instruction"] for fields in made[1:]] == ["Explain an exit code."]


def test_more_tasks_than_were_asked_for_are_cut_off() -> None:
    told = {"tasks": [new(f"Write line number {n} about logs.") for n in range(9)]}
    made, _ = talk(task, SEED, task.Options(n_per_document=3), lambda *_: told)
    assert len(made) == 4


@pytest.mark.parametrize("answer", [{}, {"tasks": []}, {"tasks": "none"}])
def test_an_answer_without_tasks_is_refused(answer: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="the answer has no list under 'tasks'"):
        talk(task, SEED, task.Options(), lambda *_: answer)


@pytest.mark.parametrize(
    ("seed", "reason"),
    [
        ({"instruction": "Do it."}, "a seed has no output"),
        (
            {"instruction": "Do it.", "output": "Done.", "answer": "x"},
            "a seed has 'answer'; allowed",
        ),
    ],
)
def test_a_seed_that_is_not_whole_is_refused(seed: dict[str, str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        task.Options(seeds=[seed])


def rows() -> list[Checked]:
    instructions = {
        "a": "Explain the exit code of a process to a beginner.",
        "b": "Explain the exit code of a process to a child.",
        "c": "Name the fault in this old log line.",
        "d": "List three ways to speed up a backfill.",
        "e": "Do thing number 3 now, please.",
    }
    made = [checked({"instruction": text}, SEED, id) for id, text in instructions.items()]
    return [*made, checked({"instruction": SEED.text}, SEED, "seed")]


def test_a_task_near_to_a_seed_or_to_a_kept_one_is_not_new() -> None:
    found = task.finish(rows(), task.Options(seeds=SEEDS))
    assert {id: out.reason for id, out in found.items() if isinstance(out, Refused)} == {
        "b": "not new: ROUGE-L 0.90 to the sample a",
        "c": "not new: ROUGE-L 0.93 to a seed",
        "e": "not new: ROUGE-L 0.80 to a seed",
    }


def test_what_is_new_does_not_depend_on_the_order_of_arrival() -> None:
    first = task.finish(rows(), task.Options(seeds=SEEDS))
    for seed in range(5):
        shuffled = rows()
        random.Random(seed).shuffle(shuffled)
        assert task.finish(shuffled, task.Options(seeds=SEEDS[::-1])) == first


def test_a_lower_limit_lets_less_through() -> None:
    kept = [6 - len(task.finish(rows(), task.Options(max_rouge_l=x))) for x in (0.1, 0.7, 1.0)]
    assert kept == sorted(kept)
    assert kept[0] < kept[1] < kept[2]


def test_without_a_teacher_the_seeds_are_the_samples_and_all_of_them_stay() -> None:
    other = Document("e", "g", "train", "Name the fault in this log line?", {"output": "None."})
    empty = Document("f", "g", "train", "Name it.", {"input": "x"})
    made = task.offline([SEED, other, empty], task.Options())
    assert (
        made["d"]
        == talk(task, SEED, task.Options(), lambda *_: {"tasks": [new("Explain an exit code.")]})[
            0
        ][:1]
    )
    assert made["f"] == Refused("the metadata holds no 'output'; there are: input")
    samples = [checked(made[d.id][0], d, d.id) for d in (SEED, other)]  # pyright: ignore
    assert task.finish(samples, task.Options()) == {}
    assert task.faults(samples, task.Options()) == {}


def test_the_audit_finds_a_refusal_among_the_new_tasks() -> None:
    fields = {"instruction": "Explain an exit code.", "input": "", "task": "t"}
    row = checked({**fields, "completion": "As an AI language model, I cannot."}, SEED)
    assert task.faults([row], task.Options()) == {"s": "an output is a refusal"}
