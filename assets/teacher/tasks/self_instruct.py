"""New tasks after the pattern of a few: instruction, input, output, as Self-Instruct makes them.

    seed  {"instruction": "Name the fault in this log line.", "input": "OOMKilled: 137",
           "output": "The process needed more memory than it may have."}
    new   {"task": "explain_exit_code", "instruction": "Explain this exit code to a beginner.",
           "input": "143", "output": "Somebody asked the process to stop (SIGTERM)."}

A document is a seed: its text is the instruction, its metadata hold input and output. A new task is
kept where its instruction is new (ROUGE-L below `max_rouge_l` to every seed and every task that is
kept; Wang et al. 2023). Without a teacher nothing is made up: the seeds themselves are the samples.
"""

import json
from collections.abc import Mapping, Sequence

from pydantic import Field, field_validator

from assets import discovery
from assets.records import Document, content_hash
from assets.similarity.novelty import not_novel
from assets.teacher import new_tasks
from assets.teacher.new_tasks import PARTS, problem
from assets.teacher.protocol import (
    Checked,
    Example,
    Fields,
    Message,
    Refused,
    Schema,
    one_by_one,
)
from assets.teacher.spotlight import RULE, as_data

VERSION: str = "1"
SCHEMA: Schema = new_tasks.SCHEMA

_SEED = Document(
    id="example",
    group_id="example",
    split="train",
    text="Name the fault in this log line.",
    metadata={
        "input": "OOMKilled, exit code 137",
        "output": "The process needed more memory than it may have.",
    },
)
_NEW = {
    "task": "explain_exit_code",
    "instruction": "Explain an exit code to somebody who starts with Linux.",
    "input": "143",
    "output": "Somebody asked the process to stop (SIGTERM), and it did.",
}


class Options(discovery.Options):
    """The seeds, and how much is made of them."""

    seeds: list[dict[str, str]] = Field(default_factory=list)  # more: instruction, input, output
    demonstrations: int = Field(default=3, ge=0, le=20)  # of `seeds`, shown beside the document
    n_per_document: int = Field(default=2, ge=1, le=20)  # new tasks asked for, in one request
    keep_seeds: bool = True  # the documents' own tasks are samples too, beside the new ones
    max_rouge_l: float = Field(default=0.7, gt=0, le=1)  # an instruction this near to another goes
    input_from: str = Field(default="input", min_length=1)  # names in the documents' metadata
    output_from: str = Field(default="output", min_length=1)

    @field_validator("seeds")
    @classmethod
    def _are_whole(cls, seeds: list[dict[str, str]]) -> list[dict[str, str]]:
        for seed in seeds:
            if unknown := sorted(seed.keys() - set(PARTS)):
                raise ValueError(f"a seed has {unknown[0]!r}; allowed: {', '.join(PARTS)}")
            if lacking := [p for p in ("instruction", "output") if not seed.get(p, "").strip()]:
                raise ValueError(f"a seed has no {lacking[0]}: {json.dumps(seed)[:100]}")
        return seeds


def messages(document: Document, options: Options) -> list[Message]:
    """Return the rules, and the seeds as data: the document's last."""
    drawn = sorted(options.seeds, key=lambda seed: content_hash([document.id, seed]))
    shown = [*map(_shown, drawn[: options.demonstrations]), _shown(_seed(document, options))]
    return [
        {"role": "system", "content": f"{_rules(options.n_per_document)} {RULE}"},
        {"role": "user", "content": "\n".join(as_data("task", text) for text in shown)},
    ]


def parse(document: Document, answer: Mapping[str, object], options: Options) -> list[Fields]:
    """Return the usable new tasks; raises ValueError with a reason where none is."""
    tasks = answer.get("tasks")
    if not isinstance(tasks, list) or not tasks:
        raise ValueError(f"the answer has no list under 'tasks' but {tasks!r}")
    made: dict[str, Fields] = {}
    problems = []
    for task in tasks[: options.n_per_document]:
        if wrong := problem(task, document.text):
            problems.append(wrong)
        else:
            fields = _fields({part: task[part].strip() for part in PARTS})
            made.setdefault(fields["instruction"], fields)
    if not made:
        raise ValueError(f"the answer holds no usable task: {problems[0]}")
    seed = _seed(document, options)
    own = [_fields(seed)] if options.keep_seeds and seed["output"] else []
    return [*own, *made.values()]


def offline(documents: Sequence[Document], options: Options) -> dict[str, list[Fields] | Refused]:
    """Return each seed as it is."""

    def itself(document: Document) -> list[Fields]:
        seed = _seed(document, options)
        if not seed["output"]:
            there = ", ".join(sorted(document.metadata)) or "none"
            raise ValueError(f"the metadata holds no {options.output_from!r}; there are: {there}")
        return [_fields(seed)]

    return one_by_one(itself, documents)


def finish(checked: Sequence[Checked], options: Options) -> dict[str, Fields | Refused]:
    """Return the new tasks that are too near to a seed, or to another that is kept."""
    seeds = {c.document.text for c in checked} | {seed["instruction"] for seed in options.seeds}
    new = {
        c.sample.id: c.sample.fields["instruction"]
        for c in checked
        if c.sample.fields["instruction"] != c.document.text
    }
    near = not_novel(
        [((1, id), instruction) for id, instruction in new.items()],
        options.max_rouge_l,
        seeds=[((0, seed), seed) for seed in sorted(seeds)],
    )
    return {
        id: Refused(
            f"not new: ROUGE-L {match.score:.2f} to "
            + (f"the sample {match.id[1]}" if match.id[0] else "a seed")
        )
        for (_, id), match in near.items()
    }


def faults(checked: Sequence[Checked], options: Options) -> dict[str, str]:
    """Return the tasks that a student of text cannot learn from."""
    found = {}
    for row in checked:
        fields, seed = row.sample.fields, row.document.text
        if fields["instruction"] != seed:
            found[row.sample.id] = problem({**fields, "output": fields["completion"]}, seed)
    return {id: reason for id, reason in found.items() if reason}


def _rules(count: int) -> str:
    return (
        f"You write {count} new tasks for training an assistant that reads and writes text. The "
        "tasks that you are shown say of which kind, language and difficulty; yours differ from "
        "them, and from each other, in verb, subject and form. A task has an instruction of one or "
        "two sentences, an input where the instruction needs one (concrete, never a placeholder), "
        "and the right output, complete and as short as it can be. Nothing about images, sound, "
        "files or links. Where the output is one of a few labels, choose the label first, another "
        "one each time, and then write an input that has it."
    )


def _seed(document: Document, options: Options) -> dict[str, str]:
    about = document.metadata
    return {
        "task": about.get("task", "").strip(),
        "instruction": document.text,
        "input": about.get(options.input_from, "").strip(),
        "output": about.get(options.output_from, "").strip(),
    }


def _shown(seed: Mapping[str, str]) -> str:
    parts = ("instruction", "input", "output")
    return "\n".join(f"{p.capitalize()}: {seed[p]}" for p in parts if seed.get(p))


def _fields(task: Mapping[str, str]) -> Fields:
    prompt = f"{task['instruction']}\n\n{task['input']}" if task["input"] else task["instruction"]
    return {
        "prompt": prompt,
        "completion": task["output"],
        "instruction": task["instruction"],
        "input": task["input"],
        "task": task["task"],
    }


EXAMPLE = Example(
    document=_SEED,
    answer={"tasks": [_NEW]},
    samples=[_fields(_seed(_SEED, Options())), _fields(_NEW)],
)
