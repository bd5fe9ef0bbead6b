from pathlib import Path

import pytest

from assets.finetuning.learning_rate import HIGHEST, LOWEST, RisingRate, suggestion
from tests.assets.finetuning import tiny


def test_rates_rise_by_equal_factors() -> None:
    rising = RisingRate(steps=4)
    assert [rising.rate(step) for step in range(4)] == pytest.approx([1e-6, 1e-4, 1e-2, 1])
    assert (rising.rate(0), rising.rate(3)) == (LOWEST, HIGHEST)


def test_the_rate_at_which_the_loss_fell_fastest_is_suggested() -> None:
    rates = [10.0**power for power in range(-6, 1)]
    assert suggestion(rates, [3, 3, 2.9, 1.5, 1.4, 2.5, float("inf")]) == 1e-3


def test_a_loss_that_never_fell_suggests_nothing() -> None:
    with pytest.raises(ValueError, match="fell at none of 3 learning rates from 1e-06 to 0.0001"):
        suggestion([1e-6, 1e-5, 1e-4], [3, 3, 4])


@pytest.mark.slow
def test_a_training_finds_its_rate_and_then_trains_with_it(tmp_path: Path) -> None:
    _, manifest = tiny.train(tmp_path, "classify", "full", find_learning_rate=True, max_steps=6)
    found = manifest["settings"]["learning_rate"]
    assert 1e-6 < found < 1
    assert found != 0.01
    _, same = tiny.train(tmp_path, "classify", "full", "by_hand", learning_rate=found, max_steps=6)
    assert same["weights_hash"] == manifest["weights_hash"]
