import math
from collections.abc import Sequence

from assets.evaluation.intervals import paired_interval
from assets.records import Row


def mean(rows: Sequence[Row]) -> float:
    return sum(float(str(row["value"])) for row in rows) / len(rows)


def rows(values: list[float]) -> list[Row]:
    return [{"id": str(i), "value": value} for i, value in enumerate(values)]


def test_pairing_cancels_what_both_arms_share():
    theirs = [float(i % 7) for i in range(50)]
    low, high = paired_interval(mean, rows([v + 1 for v in theirs]), rows(theirs), 0) or (0, 0)
    assert math.isclose(low, 1.0) and math.isclose(high, 1.0)


def test_the_interval_of_no_difference_holds_zero_and_repeats():
    ours, theirs = rows([0.0, 1.0] * 20), rows([1.0, 0.0] * 20)
    found = paired_interval(mean, ours, theirs, 3)
    assert found is not None
    assert found[0] < 0 < found[1]
    assert paired_interval(mean, ours, theirs, 3) == found


def test_a_measure_that_cannot_judge_gives_no_interval():
    assert paired_interval(lambda _: math.nan, rows([1.0]), rows([2.0]), 0) is None
