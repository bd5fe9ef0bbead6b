import pytest

from assets.discovery import names, options_of
from assets.evaluation.config import BENCHMARKS, DEFAULTS
from assets.evaluation.protocol import benchmark


def test_there_are_benchmarks_and_the_defaults_are_among_them():
    assert {name for chosen in DEFAULTS.values() for name in chosen} <= set(names(BENCHMARKS))


@pytest.mark.parametrize("name", names(BENCHMARKS))
def test_every_benchmark_keeps_the_protocol(name: str):
    module = benchmark(name)
    assert module.OBJECTIVE in DEFAULTS
    assert set(module.METRICS.values()) <= {"higher", "lower", "neutral"}
    assert module.HEADLINE is None or module.HEADLINE in module.METRICS
    for part in ("run", "references", "headline", "describe", "pictures", "shown"):
        assert callable(getattr(module, part))
    assert module.describe(options_of(BENCHMARKS, name)()).startswith(f"{name}: ")


def test_no_two_benchmarks_share_a_metric_or_a_key():
    for part in ("metrics", "keys"):
        found = [
            key
            for name in names(BENCHMARKS)
            for key in (
                benchmark(name).METRICS
                if part == "metrics"
                else options_of(BENCHMARKS, name).model_fields
            )
        ]
        assert len(found) == len(set(found))
