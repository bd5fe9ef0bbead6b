import pytest

from assets.fit import curves, fit_verdict


def history(train: list[float], watched: list[float]) -> list[dict[str, float]]:
    losses = [{"step": step, "loss": loss} for step, loss in enumerate(train)]
    return losses + [{"step": step, "eval_loss": loss} for step, loss in enumerate(watched)]


@pytest.mark.parametrize(
    ("train", "watched", "verdict"),
    [
        ([3, 2, 1, 0.5], [3, 2.5, 2.4, 2.8], "over-fitting: eval loss rises from step 2 on"),
        ([3, 2.99, 2.98], [3, 3, 2.99], "under-fitting: the loss hardly moved"),
        ([3, 2.5, 2], [3, 2.5, 2], "under-fitting: eval loss was still falling"),
        ([3, 2, 1.9], [3, 2, 1.98], "healthy: eval loss went from 3.000 to 1.980"),
        (
            [3, float("nan")],
            [3, 2],
            "divergence: the loss is nan from step 1 on; try a",
        ),
        ([3, 4], [3, 2], "divergence: the loss rose from 3.000 to 4.000"),
        ([-1, -2], [-1, -2, -2.05], "healthy: eval loss went from -1.000"),
        ([3, 2], [2.5], "unknown: eval loss was read 1 times"),
    ],
)
def test_the_history_tells_how_training_ended(
    train: list[float], watched: list[float], verdict: str
):
    assert fit_verdict(history(train, watched)).startswith(verdict)


def test_the_two_losses_are_told_apart():
    assert curves(history([3], [2])) == {"train": [(0, 3)], "eval": [(0, 2)]}


@pytest.mark.parametrize(
    ("rewards", "verdict"),
    [
        ([0.1, 0.2, 0.5, 0.6], "healthy: the reward rose from 0.100 to 0.600"),
        ([0.2, 0.2, 0.2], "under-fitting: the reward hardly rose (from 0.200 to 0.200)"),
        ([0.2, float("nan")], "divergence: the reward went from 0.200 to nan"),
    ],
)
def test_where_a_reward_is_raised_the_reward_tells(rewards: list[float], verdict: str):
    history = [{"step": i, "loss": 0.0, "reward": r} for i, r in enumerate(rewards)]
    assert fit_verdict(history).startswith(verdict)


def test_a_gradient_that_vanished_while_the_loss_stayed_is_a_collapse():
    still = [{"step": i, "loss": 3.0, "grad_norm": norm} for i, norm in enumerate([1, 0.1, 1e-6])]
    assert fit_verdict(still).startswith("collapse: the gradient vanished (1 to 1e-06)")
    learnt = [{**entry, "loss": 3.0 - entry["step"]} for entry in still]
    assert not fit_verdict(learnt).startswith("collapse")
