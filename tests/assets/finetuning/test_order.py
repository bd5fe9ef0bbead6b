from assets.finetuning.order import LengthGroupedOrder

LENGTHS = [i * 7 % 64 for i in range(64)]


def in_epoch(epoch: int, seed: int = 0) -> list[int]:
    order = LengthGroupedOrder(LENGTHS, 4, seed)
    order.epoch = epoch
    return list(order)


def test_the_order_of_an_epoch_is_the_same_each_time_and_holds_every_row() -> None:
    assert in_epoch(3) == in_epoch(3)
    assert sorted(in_epoch(3)) == list(range(64))


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    assert in_epoch(3) != in_epoch(4)
    assert in_epoch(3) != in_epoch(3, seed=1)


def test_rows_of_a_batch_are_of_like_length() -> None:
    batches = [in_epoch(0)[i : i + 4] for i in range(4, 64, 4)]  # the first holds the longest
    spread = [max(LENGTHS[i] for i in b) - min(LENGTHS[i] for i in b) for b in batches]
    assert sum(spread) / len(spread) < 20  # 38 where the order is random
