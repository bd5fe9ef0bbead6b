"""What tuning cost elsewhere: how well a model still foresees plain English of all kinds.

A row's score, one a sentence of general_sentences.json: `{"id": "3", "nats": 61.2, "bytes": 84}`.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from assets.charts import BLUE, ORANGE, blank, png
from assets.discovery import Options
from assets.evaluation.arms import Arm, Scores
from assets.evaluation.protocol import Direction, Shown
from assets.evaluation.test_set import IGNORED, TestSet
from assets.records import Row

EXAMPLES = ("chat", "plain", "preference")
MODELS = ("causal",)
DEFAULT = True
HEADLINE = GATE = None
METRICS: dict[str, Direction] = {
    "general_bits_per_byte": "lower",  # above the base's: so much was forgotten
}
_SENTENCES = Path(__file__).parents[1] / "general_sentences.json"
_BATCH_SIZE = 8


def run(arm: Arm, test: TestSet, options: Options, seed: int) -> Scores:
    """Return the bits a byte of one model over sentences that no pipeline's data hold."""
    from assets.evaluation.inference import foresee

    sentences = json.loads(_SENTENCES.read_text(encoding="utf-8"))
    made = foresee(arm.model, [_sequence(arm, each) for each in sentences], _BATCH_SIZE)
    rows: list[Row] = [
        {"id": str(number), "nats": found.nats, "bytes": len(sentence.encode())}
        for number, (sentence, found) in enumerate(zip(sentences, made, strict=True))
    ]
    return Scores({"general_bits_per_byte": _bits_per_byte(rows)}, rows)


def references(test: TestSet, options: Options) -> dict[str, Scores]:
    """Return nothing: only a model can forget."""
    return {}


def headline(rows: Sequence[Row]) -> float:
    """Return nan: what was forgotten elsewhere decides nothing by itself."""
    return math.nan


def describe(options: Options) -> str:
    """Return how it was measured, for the report."""
    return (
        "forgetting: log-likelihood of two dozen sentences of plain English that are none of the "
        "pipeline's data. Above the base's figure the tuned model has forgotten; of a base that "
        "was built from scratch the figure says little."
    )


def pictures(test: TestSet, scores: Mapping[str, Scores]) -> dict[str, bytes]:
    """Return the bits a byte of each sentence, before and after tuning."""
    figure, axes = blank("General sentences: higher is forgotten", "sentence", "bits a byte")
    for arm, color in (("base", ORANGE), ("tuned", BLUE)):
        bits = [_bits_per_byte([row]) for row in scores[arm].rows]
        axes.plot(range(len(bits)), bits, marker="o", markersize=3, color=color, label=arm)
    axes.legend(frameon=False, fontsize=7)
    return {"forgetting": png(figure)}


def shown(test: TestSet, scores: Mapping[str, Scores], count: int) -> list[Shown]:
    """Return nothing: the sentences are in the pictures."""
    return []


def _sequence(arm: Arm, sentence: str) -> tuple[list[int], list[int]]:
    """Return ids and labels; a start token, or else the end token, lets the first be foreseen."""
    tokenizer = arm.tokenizer
    ids = cast(list[int], tokenizer(sentence, add_special_tokens=False)["input_ids"])
    ends = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    start = [] if ends is None else [cast(int, ends)]
    return start + ids, [IGNORED] * len(start) + ids


def _bits_per_byte(rows: Sequence[Row]) -> float:
    nats, size = (math.fsum(cast(float, row[k]) for row in rows) for k in ("nats", "bytes"))
    return nats / math.log(2) / size
