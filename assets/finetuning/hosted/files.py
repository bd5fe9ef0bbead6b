"""Samples as a hosted tuning service reads them.

A line of the file for `sft`; earlier answers are context, the last one is learnt:

    {"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}

and of the one for `dpo`:

    {"input": {"messages": […]}, "preferred_output": [{"role": "assistant", "content": "…"}],
     "non_preferred_output": [{"role": "assistant", "content": "…"}]}
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from assets.finetuning.hosted.cost import Count, estimated_tokens, tokens_of
from assets.messages import messages_of
from assets.records import Row, Sample, Split

# objective -> the service's word for it
SERVICE_METHODS: Mapping[str, Literal["supervised", "dpo"]] = {"sft": "supervised", "dpo": "dpo"}
NEEDED = {"sft": ("prompt", "completion"), "dpo": ("prompt", "chosen", "rejected")}
FEWEST_EXAMPLES = 10  # the service refuses less


@dataclass(frozen=True, slots=True)
class TrainingFiles:
    """The content of both files, and what of it is billed."""

    training: bytes
    validation: bytes  # empty: no sample is of the split eval
    examples: int  # of the training file
    tokens: int  # of the training file, in one epoch


def training_files(
    samples: Iterable[Sample], objective: str, system: str, count: Count = estimated_tokens
) -> TrainingFiles:
    """Return the service's files of these samples; those of the split test are in neither.

    Args:
        samples: with the fields that NEEDED names for the objective.
        objective: sft or dpo.
        system: the system message of samples that bring none of their own; "" for none.
        count: counts the tokens of a text.

    Raises:
        ValueError: all that the service would refuse after the upload, or that teaches nothing.
    """
    ordered = sorted(samples, key=lambda s: s.id)
    if problems := _problems(ordered, objective):
        raise ValueError("; ".join(problems))
    by_split = {split: _rows(ordered, split, objective, system) for split in ("train", "eval")}
    return TrainingFiles(
        training=_jsonl(by_split["train"]),
        validation=_jsonl(by_split["eval"]),
        examples=len(by_split["train"]),
        tokens=sum(tokens_of(row, count) for row in by_split["train"]),
    )


def _problems(samples: Sequence[Sample], objective: str) -> list[str]:
    if objective not in NEEDED:
        known = ", ".join(NEEDED)
        return [f"a hosted service has no objective {objective!r}; there are: {known}"]
    problems = []
    training = sum(s.split == "train" for s in samples)
    if training < FEWEST_EXAMPLES:
        problems.append(f"{training} training examples; the service needs {FEWEST_EXAMPLES}")
    sent = [s for s in samples if s.split != "test"]
    for name in NEEDED[objective]:
        if empty := [s.id for s in sent if not s.fields.get(name, "").strip()]:
            problems.append(f"{len(empty)} samples have no {name}, {empty[0]} first")
    if objective == "dpo":
        same = [s.id for s in sent if s.fields.get("chosen") == s.fields.get("rejected")]
        if same:
            problems.append(f"{len(same)} samples have one text twice, {same[0]} first")
    return problems


def _rows(samples: Sequence[Sample], split: Split, objective: str, system: str) -> list[Row]:
    row = _chat if objective == "sft" else _preference
    return [row(s.fields, system) for s in samples if s.split == split]


def _chat(fields: Mapping[str, str], system: str) -> Row:
    before = [
        # each earlier answer is the last one of a sample of its own
        {**message, "weight": 0} if message["role"] == "assistant" else message
        for message in messages_of(fields, system)
    ]
    return {"messages": [*before, _answer(fields["completion"])], **_tools(fields)}


def _preference(fields: Mapping[str, str], system: str) -> Row:
    return {
        "input": {"messages": messages_of(fields, system), **_tools(fields)},
        "preferred_output": [_answer(fields["chosen"])],
        "non_preferred_output": [_answer(fields["rejected"])],
    }


def _answer(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def _tools(fields: Mapping[str, str]) -> Row:
    return {"tools": json.loads(fields["tools"])} if fields.get("tools") else {}


def _jsonl(rows: Iterable[Row]) -> bytes:
    # ASCII: some readers take U+2028 or U+0085 inside a text for the end of a line
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)
