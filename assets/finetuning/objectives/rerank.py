"""A cross-encoder, which reads a query and a text together, learns whether they belong together.

A row gives two pairs: anchor and positive, 1, anchor and negative, 0. A row without a negative gets
the positive of another row, drawn by the seed. The loss is binary cross-entropy, by transformers'
Trainer: sentence-transformers' own wants to load the model itself, before a method can change it.
"""

import random
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import Trainer

    from assets.finetuning.training import Row, Training

EXAMPLES = "retrieval"
MODEL = "score"  # what is loaded: a ModelKind
VERSION = "1"
LOSS_IS_SUMMED = True  # over all that a step learns, however it is cut


def trainer(training: "Training") -> "Trainer":
    """Return transformers' trainer over pairs, each cut at the length of one text."""
    from transformers import DataCollatorWithPadding

    from assets.finetuning.encoders import encoder_trainer
    from assets.finetuning.losses import binary_cross_entropy

    collator = DataCollatorWithPadding(training.tokenizer)
    encoded = partial(_encoded, training)
    return encoder_trainer(training, encoded, collator, binary_cross_entropy)


def pairs(rows: "list[Row]", seed: int) -> list[tuple[str, str, int]]:
    """Return (anchor, text, 1 or 0); the positives of one anchor are negatives to no row of it."""
    belong = defaultdict[str, set[str]](set)
    for row in rows:
        belong[row["text"]].add(row["positive"])
    others = sorted({row["positive"] for row in rows})
    made = []
    for row in rows:
        anchor = row["text"]
        made.append((anchor, row["positive"], 1))
        if negative := row["negative"] or _drawn(others, belong[anchor], f"{seed}:{row['id']}"):
            made.append((anchor, negative, 0))
    if rows and all(label for *_, label in made):
        raise ValueError(
            "no row has a negative, and all have one positive: there is nothing to tell apart"
        )
    return made


def _drawn(texts: list[str], belong: set[str], seed: str) -> str:
    """Return one of the texts that does not belong to the anchor; "" where there is none."""
    free = [text for text in texts if text not in belong]
    return random.Random(seed).choice(free) if free else ""


def _encoded(training: "Training", rows: "list[Row]") -> "list[Row]":
    from assets.loading.text_pairs import encode_pair

    reading = (training.tokenizer, training.model, training.max_length)
    return [
        encode_pair(anchor, text, *reading) | {"labels": label}
        for anchor, text, label in pairs(rows, training.arguments["seed"])
    ]
