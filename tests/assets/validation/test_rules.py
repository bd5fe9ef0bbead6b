"""The contract of every rule, walked file by file."""

import pytest

from assets.discovery import find, names, options_of
from assets.validation.config import PACKAGE
from assets.validation.gate import DEFAULT_RULES
from tests.assets.validation.samples import posts


def test_there_are_rules_and_every_default_is_one() -> None:
    assert set(names(PACKAGE)) >= {rule for rules in DEFAULT_RULES.values() for rule in rules}
    assert len(names(PACKAGE)) >= 5


@pytest.mark.parametrize("name", names(PACKAGE))
def test_a_rule_has_a_version_runs_on_its_defaults_and_takes_an_empty_set(name: str) -> None:
    rule = find(PACKAGE, name)
    assert rule.VERSION
    assert rule.reject([], options_of(PACKAGE, name)()) == {}


@pytest.mark.parametrize("name", DEFAULT_RULES["pair"])
def test_good_posts_pass_every_default_rule(name: str) -> None:
    assert find(PACKAGE, name).reject(posts(), options_of(PACKAGE, name)()) == {}
