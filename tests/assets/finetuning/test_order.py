import pytest

from assets.finetuning.order import StepOrder

LENGTHS = [i * 7 % 64 for i in range(64)]
GROUPED, RANDOM = "group_by_length", "random"


def in_epoch(epoch: int, strategy: str, seed: int = 0, step: int = 4) -> list[int]:
    order = StepOrder(LENGTHS, step, strategy, seed)
    order.epoch = epoch
    return list(order)


def steps(order: list[int], step: int = 4) -> list[list[int]]:
    return [order[i : i + step] for i in range(0, len(order), step)]


@pytest.mark.parametrize("strategy", [GROUPED, RANDOM])
def test_the_order_of_an_epoch_is_the_same_each_time_and_holds_every_row(strategy: str) -> None:
    assert in_epoch(3, strategy) == in_epoch(3, strategy)
    assert sorted(in_epoch(3, strategy)) == list(range(64))


@pytest.mark.parametrize("strategy", [GROUPED, RANDOM])
def test_epochs_and_seeds_have_orders_of_their_own(strategy: str) -> None:
    assert in_epoch(3, strategy) != in_epoch(4, strategy)
    assert in_epoch(3, strategy) != in_epoch(3, strategy, seed=1)


def test_rows_of_a_step_are_of_like_length_where_it_is_asked_for() -> None:
    def mean_spread(strategy: str) -> float:
        lengths = [[LENGTHS[i] for i in step] for step in steps(in_epoch(0, strategy))[1:]]
        return sum(max(step) - min(step) for step in lengths) / len(lengths)

    assert mean_spread(GROUPED) < 20 < mean_spread(RANDOM)


@pytest.mark.parametrize("strategy", [GROUPED, RANDOM, "sequential"])
def test_the_rows_of_a_step_go_from_the_longest_on(strategy: str) -> None:
    for step in steps(in_epoch(1, strategy, step=8), 8):
        lengths = [LENGTHS[i] for i in step]
        assert lengths == sorted(lengths, reverse=True)


def test_sorting_moves_no_row_into_another_step() -> None:
    assert [sorted(s) for s in steps(in_epoch(0, "sequential", step=8), 8)] == [
        list(range(first, first + 8)) for first in range(0, 64, 8)
    ]
