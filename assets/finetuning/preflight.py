"""What would waste a training, found before any weight is read: all mistakes at once, in words.

`assets/templating/preflight.py` has judged the rendered rows; here are the settings and the base.
A problem refuses the training, a hint is only said.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]  # of training_examples
MASKED = -100  # the label of a token that is not learnt
# Their positions begin behind the padding id, so that so many of them are never used.
_LOST_POSITIONS = {"roberta": 2, "xlm-roberta": 2, "camembert": 2, "mpnet": 2}


@dataclass(frozen=True)
class Vocabulary:
    """What the tokenizer has and the base model takes."""

    tokens: int  # of the tokenizer, added ones too
    embeddings: int  # of the base model
    positions: int | None  # the longest sequence that the base knows; None: any
    eos_token_id: int | None
    pad_token_id: int | None


@dataclass(frozen=True)
class Found:
    """What refuses a training, and what a person should know of it."""

    problems: list[str]
    hints: list[str]


def check(
    train: Sequence[Row], evaluated: Sequence[Row], settings: Mapping[str, Any], words: Vocabulary
) -> Found:
    """Return what is wrong with the rows under these settings and this base model."""
    rows = [*train, *evaluated]
    return Found(
        problems=[
            *vocabulary_problems(rows, words),
            *padding_problems(rows, words),
            *step_problems(len(train), settings),
            *early_stopping_problems(len(evaluated), settings),
        ],
        hints=step_hints(len(train), settings),
    )


def vocabulary(tokenizer: Any, config: Any, virtual_tokens: int = 0) -> Vocabulary:
    """Return the facts of a tokenizer and of a base model's configuration.

    `virtual_tokens` stand before every row (prefix tuning) and take its positions.
    """
    text = config.get_text_config()
    positions = getattr(text, "max_position_embeddings", None)
    if positions is not None:
        positions -= _LOST_POSITIONS.get(text.model_type, 0) + virtual_tokens
    return Vocabulary(
        tokens=len(tokenizer),
        embeddings=text.vocab_size,
        positions=positions,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def vocabulary_problems(rows: Sequence[Row], words: Vocabulary) -> list[str]:
    """Return what the base model cannot embed: tokens that it lacks, positions past its last."""
    problems = []
    if words.tokens > words.embeddings:
        problems.append(
            f"the tokenizer has {words.tokens} tokens, the base model embeds {words.embeddings}: "
            "they do not belong together"
        )
    most = words.positions
    longer = [row for row in rows if most is not None and longest([row]) > most]
    if longer:
        problems.append(
            f"{len(longer)} rows are longer than the {most} positions of the base model, "
            f"{longer[0]['id']} first with {longest([longer[0]])} tokens: set "
            f"templating.max_length: {most} or less"
        )
    return problems


def padding_problems(rows: Sequence[Row], words: Vocabulary) -> list[str]:
    """Return what padding would spoil. It may be the end token: it is masked by its place."""
    if words.pad_token_id is None:
        return ["the tokenizer has no padding token: name one, its end token will do"]
    if words.pad_token_id != words.eos_token_id:
        return []
    masked = [row for row in rows if _end_is_masked(row, words.eos_token_id)]
    if not masked:
        return []
    return [
        f"padding is the end token, and {len(masked)} rows mask their own end token as padding, "
        f"{masked[0]['id']} first: the model would never learn to stop; give the tokenizer a "
        "padding token of its own"
    ]


def step_problems(rows: int, settings: Mapping[str, Any]) -> list[str]:
    """Return what makes no sense in the steps of so many rows."""
    if not rows:
        return ["the train split holds no row: no step can be made"]
    steps, warmup = steps_of(rows, settings), settings["warmup_steps"]
    if warmup < 1 or warmup < steps:
        return []
    return [
        f"warmup_steps is {warmup:g} and the training has {steps} steps: the learning rate would "
        "never be reached; take fewer, or a share such as 0.1"
    ]


def step_hints(rows: int, settings: Mapping[str, Any]) -> list[str]:
    """Return what is allowed in the steps of so many rows, and likely a mistake."""
    batch, steps = _rows_a_step(settings), steps_of(rows, settings)
    hints = []
    if rows and batch > rows:
        hints.append(f"a step takes {batch} rows, there are {rows}: one step an epoch")
    if rows and settings["save_steps"] > steps:
        hints.append(
            f"save_steps is {settings['save_steps']} and the training has {steps} steps: a killed "
            "run starts from its beginning"
        )
    return hints


def early_stopping_problems(evaluated: int, settings: Mapping[str, Any]) -> list[str]:
    """Return a line where early stopping has nothing to look at."""
    if settings["early_stopping_patience"] is None or evaluated:
        return []
    return [
        f"early_stopping_patience is {settings['early_stopping_patience']} and the eval split "
        "holds no row: nothing says when to stop; add rows to it, or leave the key out"
    ]


def disk_problems(free: int, weights: int, optimizer: int, checkpoints: int) -> list[str]:
    """Return a line where the disk is too full for the model and its checkpoints.

    Args:
        free: bytes of the output folder's disk.
        weights: bytes of what is published: all of them, or an adapter's.
        optimizer: bytes of its state, which a checkpoint holds beside them.
        checkpoints: the most that lie there at once.
    """
    needed = weights + checkpoints * (weights + optimizer)
    if needed <= free:
        return []
    return [
        f"the disk of the output folder has {free / 1e9:.2f} GB free; the model and {checkpoints} "
        f"checkpoints take {needed / 1e9:.2f} GB: free some, or move the artifact store"
    ]


def steps_of(rows: int, settings: Mapping[str, Any]) -> int:
    """Return the optimizer's steps of a training, counted as transformers counts them."""
    if settings["max_steps"] > 0:
        return settings["max_steps"]
    batches = math.ceil(rows / settings["per_device_train_batch_size"])
    an_epoch = max(math.ceil(batches / settings["gradient_accumulation_steps"]), min(rows, 1))
    return math.ceil(an_epoch * settings["num_train_epochs"])


def longest(rows: Sequence[Row]) -> int:
    """Return the tokens of the longest sequence of any row."""
    return max((len(ids) for row in rows for ids in sequences(row)), default=0)


def most_labelled(rows: Sequence[Row]) -> int:
    """Return the most positions with a label that any row has."""
    labels = (row.get("labels") or [] for row in rows)
    return max((sum(label != MASKED for label in found) for found in labels), default=0)


def sequences(row: Row) -> list[Sequence[int]]:
    """Return the token ids of each text of a row: one, a preference's two, or a triple's."""
    found: list[Sequence[int]] = []
    for name, value in row.items():
        if name.endswith("input_ids"):
            found += [value] if not value or isinstance(value[0], int) else value
    return found


def _rows_a_step(settings: Mapping[str, Any]) -> int:
    return settings["per_device_train_batch_size"] * settings["gradient_accumulation_steps"]


def _end_is_masked(row: Row, end: int | None) -> bool:
    """Return whether the row learns up to its end token and not that itself."""
    ids, labels = row.get("input_ids"), row.get("labels")
    if not ids or not labels or len(ids) != len(labels) or len(ids) < 2:
        return False
    return ids[-1] == end and labels[-1] == MASKED and labels[-2] != MASKED
