"""Plain text for continued pre-training: start token, text, end token, and all of it is learnt.

A text longer than `max_length` becomes several rows of nearly the same length, so that nothing is
cut and no row is too short to learn from. They keep the text's split; S and E are its two ends:

    {"id": "5f0c…-0001", "input_ids": [S, 5, 9, 2], "labels": [S, 5, 9, 2]}
    {"id": "5f0c…-0002", "input_ids": [7, 3, 4, E], "labels": [7, 3, 4, E]}
"""

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from assets.records import Sample, TrainingExample
from assets.templating.render import Rendered

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def render_plain(
    samples: Sequence[Sample], tokenizer: "PreTrainedTokenizerBase", max_length: int
) -> Rendered:
    """Render the field `text` of each sample; a text of one row gives it the sample's id."""
    examples = []
    for sample in samples:
        rows = _blocks(_tokens(sample.fields["text"], tokenizer), max_length)
        for number, ids in enumerate(rows, start=1):
            name = sample.id if len(rows) == 1 else f"{sample.id}-{number:04}"
            text = sample.fields["text"] if len(rows) == 1 else str(tokenizer.decode(ids))
            where = (name, sample.group_id, sample.split)
            examples.append(TrainingExample(*where, text, ids, list(ids)))
    return Rendered(examples, frozenset())


def plain_problems(
    examples: Sequence[TrainingExample], tokenizer: "PreTrainedTokenizerBase"
) -> list[str]:
    """Return what is wrong with rendered texts; nothing is wrong with an empty list."""
    start = tokenizer.bos_token_id
    found = {
        "have no text": [e for e in examples if not e.text.strip()],
        "begin with the start token twice": [
            e for e in examples if start is not None and e.input_ids[:2] == [start] * 2
        ],
    }
    problems = [
        f"{len(rows)} rows {what}, {rows[0].id} first" for what, rows in found.items() if rows
    ]
    if tokenizer.eos_token_id is None:
        problems.append("the tokenizer has no end token: a model would never learn to stop")
    return problems


def _tokens(text: str, tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    ids = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    whole = [tokenizer.bos_token_id, *ids, tokenizer.eos_token_id]
    return [i for i in whole if i is not None]


def _blocks(ids: list[int], longest: int) -> list[list[int]]:
    size = ceil(len(ids) / max(1, ceil(len(ids) / longest)))
    return [ids[i : i + size] for i in range(0, len(ids), size)]
