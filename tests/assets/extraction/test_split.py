import pytest

from assets.extraction.config import SplitConfig
from assets.extraction.split import count_splits, split_of


def test_shares_are_kept_roughly_and_the_seed_draws_others() -> None:
    groups = [f"g{i}" for i in range(4000)]
    first = [split_of(g, SplitConfig()) for g in groups]
    assert 0.17 < first.count("test") / 4000 < 0.23
    assert 0.07 < first.count("eval") / 4000 < 0.13
    assert first != [split_of(g, SplitConfig(seed=1)) for g in groups]


def test_a_group_draws_its_side_alone() -> None:
    assert [split_of("2f", SplitConfig()) for _ in range(3)] == [split_of("2f", SplitConfig())] * 3


def test_without_a_share_the_eval_split_may_be_empty() -> None:
    config = SplitConfig(eval=0.0, test=0.5)
    assert count_splits(["train", "test"], config) == {"train": 1, "eval": 0, "test": 1}


def test_an_empty_split_is_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"the test split is empty.*change split\.seed"):
        count_splits(("train", "train", "eval"), SplitConfig())


def test_shares_that_leave_nothing_to_train_on_are_refused() -> None:
    with pytest.raises(ValueError, match="leaves nothing to train on"):
        SplitConfig(eval=0.5, test=0.5)
