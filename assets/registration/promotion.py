"""Does the tuned model go into service? A decision, and its reason in words with numbers.

promoted: roc_auc 0.981 beats the base 0.512 and the baseline 0.957; no champion yet
held: bits_per_byte 2.310 does not beat the base 2.290 (lower is better)
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assets.registration.config import Gate

_ROUNDING = 1e-9  # 0.98 - 0.96 is a little more than 0.02


@dataclass(frozen=True)
class Decision:
    """Promoted or held, and why."""

    promoted: bool
    reason: str


@dataclass(frozen=True)
class _Scores:
    """One metric of every model that the evaluation compared; None: it had no such model."""

    metric: str
    lower_is_better: bool
    tuned: float
    base: float
    baseline: float | None
    champion: float | None
    # of tuned minus champion, 95 %, paired by test row; None where it was not measured
    interval: tuple[float, float] | None

    def gain(self, other: float) -> float:
        """Return by how much the tuned model is better than `other`."""
        return other - self.tuned if self.lower_is_better else self.tuned - other

    def worst_gain(self) -> float:
        """Return the end of the interval at which the tuned model is worst."""
        if self.interval is None:
            raise ValueError(
                f"registration.gate.certain needs a paired interval of {self.metric} against the "
                "champion, and the evaluation has none: set registration.gate.metric to the "
                "headline of a benchmark, add test rows, or set certain: false"
            )
        return -self.interval[1] if self.lower_is_better else self.interval[0]


def decide(evaluation: Mapping[str, Any], gate: Gate, champion: str | None) -> Decision:
    """Return whether the judged model is promoted.

    `evaluation` is the manifest of evaluation_report; `champion` the version in service, None where
    there is none that this model can be compared with. Raises ValueError for a metric that the
    report has not, or that is no number.
    """
    if why := undecided(evaluation, gate):
        return Decision(False, f"held: {why}")
    scores = _scores(evaluation, gate)
    wins, losses = _against_the_simple(scores, gate)
    judged = evaluation.get("champion_version")
    if champion is not None and champion != judged:
        against = f"version {judged}" if judged else "no champion"
        losses.append(
            f"was compared with {against}, and version {champion} is the champion now: "
            "materialize evaluation_report again"
        )
    elif scores.champion is None:
        wins.append("no champion yet")
    elif loss := _lost_to_the_champion(scores, scores.champion, gate):
        losses.append(loss)
    elif scores.gain(scores.champion) > 0:
        wins.append(f"beats the champion {scores.champion:.3f}")
    else:
        wins.append(f"is at most {gate.margin:g} worse than the champion {scores.champion:.3f}")
    verdict, why = ("held", losses) if losses else ("promoted", wins)
    lower = " (lower is better)" if scores.lower_is_better else ""
    reason = f"{verdict}: {scores.metric} {scores.tuned:.3f} {'; '.join(why)}{lower}"
    return Decision(not losses, reason)


def undecided(evaluation: Mapping[str, Any], gate: Gate) -> str:
    """Return why the evaluation promotes nothing where the pipeline names no metric, else ""."""
    return "" if gate.metric else evaluation.get("undecided", "")


def metric_of(evaluation: Mapping[str, Any], gate: Gate) -> str:
    """Return the metric that decides: the pipeline's, or else that of the first benchmark."""
    metric = gate.metric or evaluation.get("gate_metric")
    if metric is None:
        there_are = ", ".join(sorted(evaluation["metrics"]["tuned"]))
        raise ValueError(
            "the benchmarks of the evaluation leave open what decides: "
            f"set registration.gate.metric to one of {there_are}"
        )
    return metric


def _lost_to_the_champion(scores: _Scores, champion: float, gate: Gate) -> str:
    """Return in which way the tuned model is too much worse than the champion, "" where it is not.

    The test of a `certain` gate is one of non-inferiority: what chance leaves open counts against.
    """
    limit, worse = -gate.margin - _ROUNDING, f"worse than the champion {champion:.3f}"
    if scores.gain(champion) < limit:
        return f"is more than {gate.margin:g} {worse}"
    if gate.certain and scores.worst_gain() < limit:
        low, high = scores.interval or (0.0, 0.0)
        return (
            f"may be more than {gate.margin:g} {worse} "
            f"(95 % interval of the difference {low:+.3f} to {high:+.3f})"
        )
    return ""


def _against_the_simple(scores: _Scores, gate: Gate) -> tuple[list[str], list[str]]:
    """Return what the tuned model beats, and what it does not, of base and baseline."""
    rivals = {"base": scores.base}
    if gate.beat_baseline and scores.baseline is not None:
        rivals["baseline"] = scores.baseline
    named = [(f"the {name} {value:.3f}", scores.gain(value) > 0) for name, value in rivals.items()]
    beaten = [name for name, better in named if better]
    unbeaten = [name for name, better in named if not better]
    wins = ["beats " + " and ".join(beaten)] if beaten else []
    losses = ["does not beat " + " and ".join(unbeaten)] if unbeaten else []
    return wins, losses


def _scores(evaluation: Mapping[str, Any], gate: Gate) -> _Scores:
    metric, reports = metric_of(evaluation, gate), evaluation["metrics"]
    if metric not in reports["tuned"]:
        there_are = ", ".join(sorted(reports["tuned"]))
        raise ValueError(
            f"registration.gate.metric {metric!r} is not in the evaluation; there are: {there_are}"
        )
    return _Scores(
        metric,
        metric in evaluation["lower_is_better"],
        _number(reports, "tuned", metric),
        _number(reports, "base", metric),
        _number(reports, "baseline", metric) if metric in reports.get("baseline", {}) else None,
        _number(reports, "champion", metric) if "champion" in reports else None,
        _interval(evaluation, metric),
    )


def _interval(evaluation: Mapping[str, Any], metric: str) -> tuple[float, float] | None:
    for found in evaluation.get("intervals", ()):
        if (found["metric"], found["against"]) == (metric, "champion"):
            return found["low"], found["high"]
    return None


def _number(reports: Mapping[str, Mapping[str, float]], model: str, metric: str) -> float:
    value = reports[model].get(metric)
    if value is None:
        raise ValueError(
            f"the evaluation has no {metric} for the {model} model; it has: "
            f"{', '.join(sorted(reports[model])) or 'nothing'}. Materialize evaluation_report again"
        )
    if not math.isfinite(value):
        raise ValueError(
            f"{metric} of the {model} model is {value}: a model cannot be judged by it. "
            "Look at the loss curve of fine_tuned_model, then train again"
        )
    return value
