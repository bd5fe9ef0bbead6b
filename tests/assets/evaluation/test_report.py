from typing import Any

from assets.evaluation.report import markdown_table, metric_table

MANIFEST: dict[str, Any] = {
    "metrics": {
        "base": {"held_out_loss": 5.7, "style_distance": 0.4, "style_words": 20.0},
        "champion": {"held_out_loss": 4.6, "style_distance": 0.2, "style_words": 90.0},
        "tuned": {"held_out_loss": 4.5, "style_distance": 0.2, "style_words": 95.0},
    },
    "author": {"style_distance": 0.0, "style_words": 100.0},
    "directions": {"held_out_loss": "lower", "style_distance": "lower", "style_words": "neutral"},
}


def test_the_better_arm_is_marked_and_a_tie_marks_both():
    best = {row["metric"]: row["best"] for row in metric_table(MANIFEST)}
    assert best == {
        "held_out_loss": ["tuned"],
        "style_distance": ["champion", "tuned"],
        "style_words": [],
    }


def test_the_author_is_described_and_never_judged():
    cells = {row["metric"]: row["cells"] for row in metric_table(MANIFEST)}
    assert "author" not in cells["style_distance"]
    assert cells["style_words"]["author"] == 100.0


def test_the_markdown_table_puts_the_best_in_bold():
    lines = markdown_table(MANIFEST).splitlines()
    assert lines[0] == "| metric | author | base model | champion | tuned |"
    assert lines[2] == "| held_out_loss |  | 5.700 | 4.600 | **4.500** |"
