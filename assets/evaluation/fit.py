"""Whether training stopped at the right place, read from its own history.

A history: `[{"step": 5, "loss": 3.1}, {"step": 10, "loss": 2.8}, {"step": 10, "eval_loss": 2.9}]`.
"""

from collections.abc import Mapping, Sequence

Curve = list[tuple[float, float]]  # (step, loss)
RISE = 0.02  # an eval loss this far above its minimum, as a share of it, has risen
FALL = 0.02  # a loss that fell by less than this share never learnt
STILL = 0.05  # an eval loss that fell by more than this share at its last reading still falls


def curves(history: Sequence[Mapping[str, float]]) -> dict[str, Curve]:
    """Return the training and the evaluation loss by step."""
    names = {"train": "loss", "eval": "eval_loss"}
    return {
        name: [(entry["step"], entry[key]) for entry in history if key in entry]
        for name, key in names.items()
    }


def fit_verdict(history: Sequence[Mapping[str, float]]) -> str:
    """Return over-fitting, under-fitting, healthy or unknown, each with its figures."""
    found = curves(history)
    train, watched = found["train"], found["eval"]
    if len(watched) < 2:
        return f"unknown: eval loss was read {len(watched)} times, and it takes two"
    (_, first), (_, last) = watched[0], watched[-1]
    best_step, best = min(watched, key=lambda point: point[1])
    if last > best * (1 + RISE):
        return (
            f"over-fitting: eval loss rises from step {best_step:g} on ({best:.3f} to {last:.3f})"
        )
    learnt = train or watched
    if learnt[-1][1] > learnt[0][1] * (1 - FALL):
        return f"under-fitting: the loss hardly moved ({learnt[0][1]:.3f} to {learnt[-1][1]:.3f})"
    if last < watched[-2][1] * (1 - STILL):
        fall = f"{watched[-2][1]:.3f} to {last:.3f}"
        return f"under-fitting: eval loss was still falling at the end ({fall})"
    return f"healthy: eval loss went from {first:.3f} to {last:.3f} and does not rise"
