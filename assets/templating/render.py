"""The one renderer: a sample becomes token ids and labels, for training and evaluation alike.

Chat, prompt masked and the end token learnt (S = <|im_start|>, E = <|im_end|>):

    text       S user ⏎ slow backfills E ⏎ S assistant ⏎ Backfills are … E ⏎
    labels     -100 … -100                              Backfills are … E -100
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from assets.messages import messages_of
from assets.records import Sample, TrainingExample

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MASKED = -100  # what the loss of torch ignores


@dataclass(frozen=True)
class Rendered:
    """Training examples, and the ids of those that were cut at `max_length`."""

    examples: list[TrainingExample]
    truncated: frozenset[str]


def render_chats(
    samples: Sequence[Sample], tokenizer: "PreTrainedTokenizerBase", system: str, max_length: int
) -> Rendered:
    """Render prompts and completions by the tokenizer's chat template."""
    examples, truncated = [], set()
    for sample in samples:
        text, ids, labels = render_chat(sample.fields, "completion", tokenizer, system)
        if len(ids) > max_length:
            truncated.add(sample.id)
        examples.append(_example(sample, text, ids[:max_length], labels[:max_length]))
    return Rendered(examples, frozenset(truncated))


def render_chat(
    fields: Mapping[str, str], answer: str, tokenizer: "PreTrainedTokenizerBase", system: str
) -> tuple[str, list[int], list[int]]:
    """Return text, token ids and labels of one chat that ends on the field named `answer`."""
    last = {"role": "assistant", "content": fields[answer]}
    chat = [*messages_of(fields, system), last]
    ids, learnt = _tokens(chat, tokenizer)
    labels = [i if use else MASKED for i, use in zip(ids, learnt, strict=True)]
    return str(tokenizer.apply_chat_template(chat, tokenize=False)), ids, labels


def render_texts(
    samples: Sequence[Sample],
    tokenizer: "PreTrainedTokenizerBase",
    fields: Sequence[str],
    labels: Sequence[str],
    max_length: int,
) -> Rendered:
    """Render labelled texts for an encoder; `labels` gives each class its index."""
    examples, truncated = [], set()
    for sample in samples:
        text = text_of(sample.fields, fields)
        ids = tokenizer(text, verbose=False)["input_ids"]
        if len(ids) > max_length:
            truncated.add(sample.id)
            ids = tokenizer(text, truncation=True, max_length=max_length)["input_ids"]
        examples.append(_example(sample, text, ids, [labels.index(sample.fields["label"])]))
    return Rendered(examples, frozenset(truncated))


def text_of(values: dict[str, str], fields: Sequence[str]) -> str:
    """Return one line a field that is present and not empty: `Subject: …`."""
    return "\n".join(f"{name.capitalize()}: {values[name]}" for name in fields if values.get(name))


def routed(
    examples: Sequence[TrainingExample], samples: Sequence[Sample], field: str
) -> list[TrainingExample]:
    """Return the examples with what `field` of their samples says as their route.

    Raises ValueError where a sample has no such field.
    """
    if missing := [s for s in samples if not s.fields.get(field)]:
        raise ValueError(
            f"{len(missing)} of {len(samples)} samples have no field {field!r} to choose an "
            f"adapter by, {missing[0].id} first: add carry: [{field}] to teacher:, and the column "
            "to extraction:"
        )
    routes = {s.id: s.fields[field] for s in samples}
    return [replace(example, route=routes[example.id]) for example in examples]


def mark_learnt(example: TrainingExample, tokenizer: "PreTrainedTokenizerBase") -> str:
    """Return the example decoded, what is learnt between ⟦ and ⟧."""
    pieces: list[str] = []
    start = 0
    for end in range(1, len(example.input_ids) + 1):
        learnt = example.labels[start] != MASKED
        if end == len(example.labels) or (example.labels[end] != MASKED) != learnt:
            part = str(tokenizer.decode(example.input_ids[start:end]))
            pieces.append(f"⟦{part}⟧" if learnt else part)
            start = end
    return "".join(pieces)


def _tokens(
    chat: list[dict[str, str]], tokenizer: "PreTrainedTokenizerBase"
) -> tuple[list[int], list[int]]:
    """Return the ids, and 1 for each that the template's last generation block holds, else 0.

    Earlier answers of a conversation are the prompt here: each is the answer of its own sample.
    """
    tokens: Any = tokenizer.apply_chat_template(
        chat, tokenize=True, return_dict=True, return_assistant_tokens_mask=True
    )
    mask = list(tokens["assistant_masks"])
    end = max((i for i, use in enumerate(mask) if use), default=-1)
    start = max((i + 1 for i in range(end) if not mask[i]), default=0)
    return list(tokens["input_ids"]), [int(start <= i <= end) for i in range(len(mask))]


def _example(sample: Sample, text: str, ids: list[int], labels: list[int]) -> TrainingExample:
    return TrainingExample(sample.id, sample.group_id, sample.split, text, ids, labels)
