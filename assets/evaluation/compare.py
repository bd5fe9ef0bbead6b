"""Every benchmark on every arm, and what comes out of it: figures, pictures, samples, a verdict."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from assets.discovery import options_of
from assets.evaluation.arms import Arm, Scores
from assets.evaluation.config import BENCHMARKS
from assets.evaluation.intervals import paired_interval
from assets.evaluation.protocol import Benchmark, Direction, Shown, benchmark
from assets.evaluation.test_set import TestSet
from assets.jobs import Say

COLUMNS = ("author", "base", "baseline", "champion", "tuned")  # the order of arms in every table
ByArm = dict[str, Scores]


@dataclass(frozen=True)
class Interval:
    """The 95 % interval of tuned minus another arm, by a paired bootstrap."""

    metric: str
    against: str
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """All that the benchmarks found."""

    scores: dict[str, ByArm]  # benchmark -> arm -> scores
    directions: dict[str, Direction]  # metric -> which is better
    headlines: list[str]  # the metrics that the verdict speaks of
    gate_metric: str | None  # what promotion goes by, where the pipeline does not say
    intervals: list[Interval]
    pictures: dict[str, bytes]
    shown: list[Shown]
    described: list[str]

    def metrics(self) -> dict[str, dict[str, float]]:
        """Return arm -> metric -> figure, six digits after the point."""
        found: dict[str, dict[str, float]] = {}
        for by_arm in self.scores.values():
            for arm, scores in by_arm.items():
                found.setdefault(arm, {}).update(
                    {name: round(value, 6) for name, value in scores.metrics.items()}
                )
        return {arm: found[arm] for arm in COLUMNS if arm in found}


def compare(
    arms: Iterable[Arm],
    test: TestSet,
    options: Mapping[str, Mapping[str, Any]],
    samples: int,
    seed: int,
    say: Say,
) -> Comparison:
    """Run the benchmarks that `options` names; an arm is loaded, measured and let go one by one."""
    chosen = {name: benchmark(name) for name in options}
    settings = {name: options_of(BENCHMARKS, name)(**options[name]) for name in options}
    scores: dict[str, ByArm] = {
        name: dict(module.references(test, settings[name])) for name, module in chosen.items()
    }
    for arm in arms:
        for name, module in chosen.items():
            say(f"{name}: {arm.name} on {len(test.rows)} test rows")
            scores[name][arm.name] = module.run(arm, test, settings[name], seed)
        del arm  # before the next one is loaded
    for name, module in chosen.items():
        if beside_base := getattr(module, "beside_base", None):
            scores[name]["tuned"].metrics.update(
                beside_base(scores[name]["tuned"].rows, scores[name]["base"].rows)
            )
    return Comparison(
        scores=scores,
        directions={metric: way for m in chosen.values() for metric, way in m.METRICS.items()},
        headlines=[module.HEADLINE for module in chosen.values() if module.HEADLINE],
        gate_metric=next((m.GATE for m in chosen.values() if m.GATE), None),
        intervals=[i for n, m in chosen.items() for i in _intervals(m, scores[n], seed)],
        pictures={k: v for n, m in chosen.items() for k, v in m.pictures(test, scores[n]).items()},
        shown=[row for n, m in chosen.items() for row in m.shown(test, scores[n], samples)],
        described=[module.describe(settings[name]) for name, module in chosen.items()],
    )


def _intervals(module: Benchmark, scores: ByArm, seed: int) -> list[Interval]:
    measures = {module.HEADLINE: module.headline}
    measures.setdefault(module.GATE, getattr(module, "gate", module.headline))
    found = []
    for metric, measure in measures.items():
        for arm in ("base", "baseline", "champion"):
            if metric and arm in scores:
                rows = scores["tuned"].rows, scores[arm].rows
                if (ends := paired_interval(measure, *rows, seed)) is not None:
                    found.append(Interval(metric, arm, *(round(end, 6) for end in ends)))
    return found


def verdict(comparison: Comparison) -> str:
    """Return one sentence a headline metric: does tuned beat the baseline, or else the base?"""
    return " ".join(_sentence(comparison, metric) for metric in comparison.headlines)


def _sentence(comparison: Comparison, metric: str) -> str:
    metrics = comparison.metrics()
    rival = "baseline" if metric in metrics.get("baseline", {}) else "base"
    ours, theirs = metrics["tuned"][metric], metrics[rival][metric]
    better = ours < theirs if comparison.directions[metric] == "lower" else ours > theirs
    name = {"baseline": "the baseline", "base": "the base model"}[rival]
    return (
        f"The tuned model {'beats' if better else 'does not beat'} {name} in {metric}: "
        f"{ours:.3f} against {theirs:.3f}{_certainty(comparison, metric, rival)}."
    )


def _certainty(comparison: Comparison, metric: str, rival: str) -> str:
    for interval in comparison.intervals:
        if (interval.metric, interval.against) == (metric, rival):
            chance = interval.low <= 0 <= interval.high
            ends = f"95 % interval of the difference {interval.low:+.3f} to {interval.high:+.3f}"
            return f" ({ends}{', so chance alone could explain it' if chance else ''})"
    return ""
