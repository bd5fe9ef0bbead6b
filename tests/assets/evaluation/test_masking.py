from typing import Any

import pytest

from assets.evaluation.benchmarks.masking import _by_rule, _row, headline

ASKED = "Maria: ring +44 20 7946 0958 today, Maria"
MASKED = "[NAME]: ring [PHONE] today, [NAME]"


def test_a_perfect_mask_hides_all_and_keeps_the_rest() -> None:
    row = _row("r", ASKED, MASKED, MASKED)
    assert (row["hidden"], row["leaked"], row["plain"], row["kept"]) == (6, 0, 2, 2)
    assert headline([row]) == 1


@pytest.mark.parametrize(
    ("text", "leaked", "kept"),
    [(ASKED, 6, 2), ("", 0, 0), ("[NAME]: ring [PHONE] today, Maria", 1, 2)],
)
def test_what_still_stands_is_leaked_and_what_is_lost_not_kept(
    text: str, leaked: int, kept: int
) -> None:
    row = _row("r", ASKED, MASKED, text)
    assert (row["leaked"], row["kept"]) == (leaked, kept)


def test_copying_and_silence_are_worth_nothing() -> None:
    rows: Any = [_row("r", ASKED, MASKED, text) for text in (ASKED, "")]
    assert [headline([row]) for row in rows] == [0, 0]


def test_the_rules_mask_numbers_and_know_no_names() -> None:
    assert _by_rule(ASKED) == "Maria: ring [PHONE] today, Maria"
