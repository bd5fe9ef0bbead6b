"""A sample of the teacher's rows, looked at again: by rules, by the task, by a second model.

    {"sample_id": "5f0c…", "by": "rule", "reason": "the masked text still holds the name of …"}

The rows are drawn by the hash of their ids, so an audit of the same samples looks at the same ones.
Whoever made the samples, a teacher or the offline method, is audited alike.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from assets.records import Record, Sample, content_hash
from assets.teacher.privacy import Personal, without_personal_data
from assets.teacher.protocol import Checked, Message, Schema, Teacher
from assets.teacher.refusals import is_refusal
from assets.teacher.spotlight import MARKER, RULE, as_data, unmarked

LEARNT = ("completion", "chosen", "label", "anchor", "positive")  # what a model learns to say
SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "reason": {"type": "string", "description": "one sentence; what is wrong, if anything"},
        "good": {"type": "boolean", "description": "whether the sample may be learnt from"},
    },
    "required": ["reason", "good"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Fault(Record):
    """What is wrong with one sample, and who says so."""

    sample_id: str
    by: Literal["rule", "model"]
    reason: str


@dataclass
class Audit:
    """What was looked at and what was found."""

    rows: list[Checked]
    faults: list[Fault] = field(default_factory=list)
    judged: int = 0  # rows that the second model gave a verdict on

    @property
    def faulty(self) -> set[str]:
        """Return the ids of the samples with a fault, whoever found it."""
        return {fault.sample_id for fault in self.faults}

    @property
    def agreement(self) -> float | None:
        """Return the share of judged rows on which rules and model agree; None without a judge."""
        if not self.judged:
            return None
        by = {who: {f.sample_id for f in self.faults if f.by == who} for who in ("rule", "model")}
        return 1 - len(by["rule"] ^ by["model"]) / self.judged


def instruction_of(task: Any, options: Any) -> str:
    """Return what the teacher was told, or what the task is where it asks in several stages."""
    if hasattr(task, "messages"):
        return task.messages(task.EXAMPLE.document, options)[0]["content"]
    return str(task.__doc__).strip()


def draw(checked: Sequence[Checked], rows: int) -> list[Checked]:
    """Return at most `rows` samples, drawn by the hash of their ids."""
    return sorted(checked, key=lambda c: content_hash(["audit", c.sample.id]))[:rows]


def audit_by_rules(task: Any, options: Any, rows: list[Checked]) -> Audit:
    """Return what the rules for any sample, and the task's own, find."""
    reasons = {row.sample.id: reason for row in rows if (reason := _fault(row.sample))}
    if hasattr(task, "faults") and rows:
        reasons = task.faults(rows, options) | reasons
    return Audit(rows, [Fault(id, "rule", reason) for id, reason in sorted(reasons.items())])


def _fault(sample: Sample) -> str:
    for name in LEARNT:
        text = sample.fields.get(name)
        if text is None:
            continue
        if not text.strip():
            return f"{name} is empty"
        if MARKER in text:
            return f"{name} holds the marker of the prompt"
        if is_refusal(text):
            return f"{name} is a refusal"
    return ""


async def audit_by_model(
    audit: Audit, instruction: str, judge: Teacher, max_concurrency: int, pseudonym_key: str
) -> None:
    """Add what a second model says of each row; its answers are cached and paid like any other."""
    queue = iter(audit.rows)

    async def work() -> None:
        for row in queue:
            verdict = await _verdict(row, instruction, judge, pseudonym_key)
            if verdict is not None:
                audit.judged += 1
                if verdict:
                    audit.faults.append(Fault(row.sample.id, "model", verdict))

    await asyncio.gather(*(work() for _ in range(max_concurrency)))
    audit.faults.sort(key=lambda fault: (fault.sample_id, fault.by))


async def _verdict(row: Checked, instruction: str, judge: Teacher, key: str) -> str | None:
    """Return what is wrong, empty for nothing, None where the model gave no usable answer."""
    messages = judge_messages(row, instruction, key)
    if Personal.of(row.document).leaked(messages):
        return None
    answer = judge.cached(messages, SCHEMA) or await judge.ask(messages, SCHEMA)
    if answer.problem:
        return None
    try:
        said = unmarked(json.loads(answer.text))
        return "" if said["good"] else str(said["reason"])
    except (json.JSONDecodeError, KeyError, TypeError):
        return None


def judge_messages(row: Checked, instruction: str, key: str) -> list[Message]:
    """Return the prompt about one sample, without personal data."""
    safe = without_personal_data(row.document, key)
    people = row.document.metadata.get("people", "")
    made = replace(
        row.document, text="", turns=[], metadata={**row.sample.fields, "people": people}
    )
    fields = without_personal_data(made, key).metadata
    fields.pop("people")
    shown = "\n".join(as_data(name, value) for name, value in sorted(fields.items()))
    system = (
        "You check training samples that another model made. The samples' task, as that model "
        f"was told:\n{instruction}\n\nSay whether this sample is right: true to its document, of "
        f"the form that the task wants, and safe to learn from. {RULE}"
    )
    user = f"The document:\n{as_data('document', safe.text)}\n\nThe sample:\n{shown}"
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]
