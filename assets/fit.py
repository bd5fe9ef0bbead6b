"""How a training went, read from its own history, and what to try where it went wrong.

A history: `[{"step": 5, "loss": 3.1, "grad_norm": 0.8}, {"step": 10, "loss": 2.8, "grad_norm":
0.7}, {"step": 10, "eval_loss": 2.9}]`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

History = Sequence[Mapping[str, float]]
Curve = list[tuple[float, float]]  # (step, value)
RISE = 0.02  # an eval loss this far above its minimum, as a share of it, has risen
FALL = 0.02  # a loss that fell by less than this share never learnt
STILL = 0.05  # an eval loss that fell by more than this share at its last reading still falls
APART = 0.25  # a training loss this far above its first reading, as a share of it, diverged
FLAT = 1e-4  # a gradient this short, as a share of the longest one, has vanished

ADVICE = {
    "divergence": "a lower learning_rate, a longer warmup_steps, a lower max_grad_norm",
    "collapse": "a lower learning_rate, and a look at the rows: is every answer the same?",
    "over-fitting": "fewer num_train_epochs, early_stopping_patience, weight_decay, dropout, "
    "neftune_noise_alpha, or more rows",
    "under-fitting": "a higher learning_rate, more num_train_epochs, or a method that trains more",
}


def curves(history: History) -> dict[str, Curve]:
    """Return the training and the evaluation loss by step."""
    return {"train": curve(history, "loss"), "eval": curve(history, "eval_loss")}


def curve(history: History, name: str) -> Curve:
    """Return one quantity of the history by step; empty where it was never read."""
    return [(entry["step"], entry[name]) for entry in history if name in entry]


def fit_verdict(history: History) -> str:
    """Return what the history shows, with its figures, and what to try.

    One of divergence, collapse, over-fitting, under-fitting, healthy or unknown.
    """
    if curve(history, "reward"):
        return _rewarded(history)
    for kind, look in _SIGNS.items():
        if found := look(history):
            return f"{kind}: {found}; try {ADVICE[kind]}"
    watched = curve(history, "eval_loss")
    if len(watched) < 2:
        return f"unknown: eval loss was read {len(watched)} times, and it takes two"
    return (
        f"healthy: eval loss went from {watched[0][1]:.3f} to {watched[-1][1]:.3f} "
        "and does not rise"
    )


def _rewarded(history: History) -> str:
    """Return the verdict by the reward, where one is raised and the loss tells nothing."""
    rewards = [value for _, value in curve(history, "reward")]
    third = max(1, len(rewards) // 3)
    before, after = fmean(rewards[:third]), fmean(rewards[-third:])
    went = f"from {before:.3f} to {after:.3f}"
    if not math.isfinite(after):
        return f"divergence: the reward went {went}; try {ADVICE['divergence']}"
    if after <= before + FALL * abs(before):
        return f"under-fitting: the reward hardly rose ({went}); try {ADVICE['under-fitting']}"
    return f"healthy: the reward rose {went}"


def _diverged(history: History) -> str:
    losses = curve(history, "loss")
    for step, loss in losses + curve(history, "eval_loss"):
        if not math.isfinite(loss):
            return f"the loss is {loss} from step {step:g} on"
    if len(losses) > 1 and losses[-1][1] > losses[0][1] + APART * abs(losses[0][1]):
        return f"the loss rose from {losses[0][1]:.3f} to {losses[-1][1]:.3f}"
    return ""


def _collapsed(history: History) -> str:
    norms, losses = curve(history, "grad_norm"), curve(history, "loss")
    longest = max((norm for _, norm in norms), default=0.0)
    if len(norms) < 3 or not losses or longest == 0:
        return ""
    learnt = losses[-1][1] < losses[0][1] * (1 - FALL)
    if norms[-1][1] > longest * FLAT or learnt:
        return ""
    return f"the gradient vanished ({longest:.3g} to {norms[-1][1]:.3g}) while the loss stayed"


def _over_fitted(history: History) -> str:
    watched = curve(history, "eval_loss")
    if len(watched) < 2:
        return ""
    best_step, best = min(watched, key=lambda point: point[1])
    last = watched[-1][1]
    if last <= best + RISE * abs(best):
        return ""
    return f"eval loss rises from step {best_step:g} on ({best:.3f} to {last:.3f})"


def _under_fitted(history: History) -> str:
    watched = curve(history, "eval_loss")
    if len(watched) < 2:
        return ""
    learnt = curve(history, "loss") or watched
    first, last = learnt[0][1], learnt[-1][1]
    if last > first - FALL * abs(first):
        return f"the loss hardly moved ({first:.3f} to {last:.3f})"
    before, after = watched[-2][1], watched[-1][1]
    if after < before - STILL * abs(before):
        return f"eval loss was still falling at the end ({before:.3f} to {after:.3f})"
    return ""


_SIGNS: Mapping[str, Callable[[History], str]] = {  # the first that shows is told
    "divergence": _diverged,
    "collapse": _collapsed,
    "over-fitting": _over_fitted,
    "under-fitting": _under_fitted,
}
