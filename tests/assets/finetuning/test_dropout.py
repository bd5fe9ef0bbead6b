"""Dropout that draws less: as many values are dropped, the rest keep their sum."""

import pytest
import torch
from torch.nn import functional

from assets.finetuning.dropout import dropout, quick_dropout

VALUES = 200_003  # no multiple of four


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_so_many_are_dropped_and_the_rest_is_scaled(p: float, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    dropped = dropout(torch.ones(VALUES, dtype=dtype), p)
    assert dropped.dtype == dtype
    assert float((dropped == 0).float().mean()) == pytest.approx(p, abs=0.005)  # 4 deviations
    kept = dropped[dropped != 0].float()
    torch.testing.assert_close(kept, torch.full_like(kept, 1 / (1 - p)), rtol=5e-3, atol=0)


def test_neighbours_are_dropped_independently() -> None:
    torch.manual_seed(0)
    kept = (dropout(torch.ones(VALUES), 0.5) != 0).float() - 0.5
    for distance in (1, 2, 3, 4):
        assert abs(float((kept[distance:] * kept[:-distance]).mean())) < 0.003


def test_the_gradient_is_that_of_what_was_kept() -> None:
    values = torch.randn(5, 7, dtype=torch.float64, requires_grad=True)
    dropped = dropout(values, 0.3)
    dropped.sum().backward()
    assert values.grad is not None
    torch.testing.assert_close(values.grad * values, dropped)


def test_one_seed_gives_one_mask() -> None:
    masks = []
    for _ in range(2):
        torch.manual_seed(3)
        masks.append(dropout(torch.ones(1000), 0.1))
    assert torch.equal(*masks)


@pytest.mark.parametrize(("p", "training"), [(0.5, False), (0.0, True)])
def test_nothing_is_dropped_where_nothing_is_asked_for(p: float, training: bool) -> None:
    values = torch.randn(9)
    assert torch.equal(dropout(values, p, training), values)


def test_everything_is_dropped_at_one() -> None:
    assert not dropout(torch.ones(9), 1.0).any()


def test_modules_use_it_within_the_block_only() -> None:
    own = functional.dropout
    module = torch.nn.Dropout(0.5)
    with pytest.raises(RuntimeError, match="over"), quick_dropout():
        dropped = module(torch.ones(9, requires_grad=True))
        assert type(dropped.grad_fn).__name__ == "_DropoutBackward"
        raise RuntimeError("over")
    assert functional.dropout is own
