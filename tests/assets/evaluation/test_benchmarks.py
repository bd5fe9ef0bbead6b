from typing import get_args

import pytest

from assets.discovery import names, options_of
from assets.evaluation.config import BENCHMARKS
from assets.evaluation.protocol import benchmark
from assets.loading.models import ModelKind

KINDS = {"chat", "plain", "preference", "retrieval", "text", "tokens"}


@pytest.mark.parametrize("name", names(BENCHMARKS))
def test_every_benchmark_keeps_the_protocol(name: str):
    module = benchmark(name)
    assert set(module.EXAMPLES) <= KINDS and module.EXAMPLES
    assert set(module.MODELS) <= set(get_args(ModelKind)) and module.MODELS
    assert set(module.METRICS.values()) <= {"higher", "lower", "neutral"}
    assert {module.HEADLINE, module.GATE} <= {None, *module.METRICS}
    assert module.METRICS.get(module.GATE or "") != "neutral"
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
