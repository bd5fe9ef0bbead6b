"""What would make a training useless, found before it starts: all mistakes at once, in words."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from assets.records import TrainingExample
from assets.templating.kinds import Example
from assets.templating.render import MASKED

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LEAK_CHARACTERS = 60  # an answer's opening that stands in its prompt too is a leak


def chat_problems(
    examples: Sequence[TrainingExample],
    truncated: Collection[str],
    tokenizer: "PreTrainedTokenizerBase",
) -> list[str]:
    """Return what is wrong with rendered chats; nothing is wrong with an empty list."""
    whole = [e for e in examples if e.id not in truncated]
    found = {
        "have no token to learn": [e for e in examples if set(e.labels) <= {MASKED}],
        f"do not learn the end token {tokenizer.eos_token!r}": [
            e for e in whole if tokenizer.eos_token_id not in e.labels
        ],
        "begin with the start token twice": [
            e for e in examples if e.input_ids[:2] == [tokenizer.bos_token_id] * 2
        ],
        "hold their answer in the prompt": [e for e in examples if _answer_in_prompt(e, tokenizer)],
    }
    return [f"{len(rows)} rows {what}, {rows[0].id} first" for what, rows in found.items() if rows]


def text_problems(examples: Sequence[TrainingExample], classes: int) -> list[str]:
    """Return what is wrong with labelled texts."""
    problems = []
    if empty := [e for e in examples if not e.text.strip()]:
        problems.append(f"{len(empty)} rows have no text, {empty[0].id} first")
    seen = {e.labels[0] for e in examples if e.split == "train"}
    if len(seen) < classes:
        problems.append(f"the training split holds {len(seen)} of {classes} classes")
    return problems


def truncation_problem(truncated: int, rows: int, limit: float, max_length: int) -> list[str]:
    """Return a line when more than `limit` of the rows were cut."""
    if not rows or truncated / rows <= limit:
        return []
    return [
        f"{truncated} of {rows} rows are longer than max_length {max_length} tokens and were cut: "
        f"raise templating.max_length, or max_truncated_rate above {limit}"
    ]


def empty_splits(examples: Sequence[Example]) -> list[str]:
    """Return a line for `train` or `test` when it holds no row."""
    held = {e.split for e in examples}
    return [f"the {split} split is empty" for split in ("train", "test") if split not in held]


def _answer_in_prompt(example: TrainingExample, tokenizer: "PreTrainedTokenizerBase") -> bool:
    first = next((i for i, label in enumerate(example.labels) if label != MASKED), 0)
    prompt = str(tokenizer.decode(example.input_ids[:first]))
    opening = str(tokenizer.decode(example.input_ids[first:]))[:LEAK_CHARACTERS]
    return len(opening) == LEAK_CHARACTERS and opening in prompt
