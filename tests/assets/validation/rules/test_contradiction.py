import random

import pytest

from assets.discovery import Options
from assets.validation.rules.contradiction import reject
from tests.assets.validation.samples import sample, titles

ONE, OTHER = "Follow the data", "On lineage"


def test_preferences_that_agree_pass() -> None:
    twice = [sample(id, prompt="lineage", chosen=ONE, rejected=OTHER) for id in ("a", "b")]
    assert reject([*titles(), *twice], Options()) == {}


def test_all_that_contradict_each_other_are_rejected_in_any_order() -> None:
    rows = [
        sample("a", prompt="lineage", chosen=ONE, rejected=OTHER),
        sample("b", prompt="lineage ", chosen=OTHER, rejected=f" {ONE}"),
        sample("c", prompt="lineage", chosen=ONE, rejected=OTHER),
        sample("d", prompt="alerts", chosen=OTHER, rejected=ONE),
    ]
    expected = {
        "a": "b has chosen and rejected the other way round",
        "b": "a has chosen and rejected the other way round",
        "c": "b has chosen and rejected the other way round",
    }
    for seed in range(3):
        random.Random(seed).shuffle(rows)
        assert reject(rows, Options()) == expected


def test_capitals_may_be_what_is_preferred() -> None:
    rows = [
        sample("a", prompt="lineage", chosen=ONE, rejected=OTHER),
        sample("b", prompt="lineage", chosen=OTHER.upper(), rejected=ONE),
    ]
    assert reject(rows, Options()) == {}


def test_samples_without_answers_to_compare_are_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match="needs the field 'chosen', but a holds completion, prom"):
        reject([sample("a", prompt="p", completion="c")], Options())
