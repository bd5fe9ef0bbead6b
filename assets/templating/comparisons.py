"""Renders what is learnt by comparing: two answers to one prompt, or texts that belong together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets.records import PreferenceExample, RetrievalExample, Sample
from assets.templating.render import MASKED, render_chat

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Compared:
    """Examples of one kind, and the ids of those that were cut at `max_length`."""

    examples: list[PreferenceExample] | list[RetrievalExample]
    truncated: frozenset[str]


def render_preferences(
    samples: Sequence[Sample], tokenizer: "PreTrainedTokenizerBase", system: str, max_length: int
) -> Compared:
    """Render prompt and chosen, prompt and rejected; both mask the prompt."""
    examples, truncated = [], set()
    for s in samples:
        text, chosen, chosen_labels = render_chat(s.fields, "chosen", tokenizer, system)
        _, rejected, rejected_labels = render_chat(s.fields, "rejected", tokenizer, system)
        if max(len(chosen), len(rejected)) > max_length:
            truncated.add(s.id)
        cut = (part[:max_length] for part in (chosen, chosen_labels, rejected, rejected_labels))
        examples.append(PreferenceExample(s.id, s.group_id, s.split, text, *cut))
    return Compared(examples, frozenset(truncated))


def render_retrieval(
    samples: Sequence[Sample], tokenizer: "PreTrainedTokenizerBase", max_length: int
) -> Compared:
    """Render anchor, positive and, where there is one, negative, each by itself."""
    examples, truncated = [], set()
    for s in samples:
        names = [name for name in ("anchor", "positive", "negative") if s.fields.get(name)]
        ids = [tokenizer(s.fields[name], verbose=False)["input_ids"] for name in names]
        if max(map(len, ids)) > max_length:
            truncated.add(s.id)
            texts = [s.fields[name] for name in names]
            ids = tokenizer(texts, truncation=True, max_length=max_length)["input_ids"]
        positive, negative = s.fields["positive"], s.fields.get("negative", "")
        where = (s.id, s.group_id, s.split)
        examples.append(RetrievalExample(*where, s.fields["anchor"], positive, negative, ids))
    return Compared(examples, frozenset(truncated))


def preference_problems(examples: Sequence[PreferenceExample]) -> list[str]:
    """Return what would make training on the pairs useless, in words."""
    found = {
        "have no token to learn": [
            e.id
            for e in examples
            if set(e.chosen_labels) <= {MASKED} or set(e.rejected_labels) <= {MASKED}
        ],
        "have the same tokens for chosen and rejected": [
            e.id for e in examples if e.chosen_input_ids == e.rejected_input_ids
        ],
    }
    return [f"{len(rows)} rows {what}, {rows[0]} first" for what, rows in found.items() if rows]


def retrieval_problems(examples: Sequence[RetrievalExample]) -> list[str]:
    """Return what would make training on the texts useless, in words."""
    same = [e.id for e in examples if e.input_ids[0] == e.input_ids[1]]
    mixed = {bool(e.negative) for e in examples}
    problems = []
    if same:
        problems.append(f"{len(same)} rows have one text as anchor and positive, {same[0]} first")
    if len(mixed) > 1:
        without = sum(not e.negative for e in examples)
        problems.append(f"{without} of {len(examples)} rows have no negative and the others one")
    return problems
