"""A cross-encoder learns which text belongs to a query, and where negatives come from."""

from pathlib import Path

import pytest
import torch

from assets.finetuning.objectives.rerank import pairs
from assets.loading.models import load_tuned
from assets.loading.text_pairs import encode_pair
from tests.assets.finetuning import tiny


def row(id: str, text: str, positive: str, negative: str = "") -> dict[str, str]:
    return {"id": id, "text": text, "positive": positive, "negative": negative}


@pytest.mark.slow
def test_positives_score_above_negatives(tmp_path: Path) -> None:
    folder, _ = tiny.train(tmp_path, "rerank", "full", num_train_epochs=12)
    model, tokenizer = load_tuned(folder)

    def score(query: str, text: str) -> float:
        inputs = encode_pair(query, text, tokenizer, model, tiny.LONGEST)
        with torch.inference_mode():
            return model(**{k: torch.tensor([v]) for k, v in inputs.items()}).logits.item()

    rows = [s.fields for s in tiny.samples() if s.split == "train"]
    wins = [score(r["anchor"], r["positive"]) > score(r["anchor"], r["negative"]) for r in rows]
    assert sum(wins) >= 0.9 * len(wins)


def test_a_row_with_a_negative_keeps_it() -> None:
    assert pairs([row("a", "q", "yes", "no")], 0) == [("q", "yes", 1), ("q", "no", 0)]


def test_a_drawn_negative_is_nobody_s_positive_of_that_anchor_and_the_same_every_time() -> None:
    rows = [
        row("a", "q", "one"),
        row("b", "q", "two"),
        *(row(f"{i}", f"q{i}", f"t{i}") for i in range(9)),
    ]
    made = pairs(rows, 7)
    assert made == pairs(rows, 7)
    assert {text for query, text, label in made if query == "q" and not label} <= {
        f"t{i}" for i in range(9)
    }
    assert sum(label for *_, label in made) == len(rows) == len(made) / 2
    assert made != pairs(rows, 8)


def test_nothing_to_tell_apart_is_refused() -> None:
    with pytest.raises(ValueError, match="no row has a negative, and all have one positive"):
        pairs([row("a", "q", "one"), row("b", "r", "one")], 0)
