"""The contract of every rule, walked file by file."""

import pytest

from assets.discovery import find, names, options_of
from assets.validation.config import PACKAGE
from assets.validation.gate import DEFAULT_RULES
from assets.validation.reading import Kind
from tests.assets.validation.samples import mails, posts, queries, texts, titles

GOOD = {
    **{"pair": posts, "labelled": mails, "preference": titles, "retrieval": queries},
    "plain": texts,
}


def test_there_are_rules_and_every_default_is_one() -> None:
    assert set(names(PACKAGE)) >= {rule for rules in DEFAULT_RULES.values() for rule in rules}
    assert len(names(PACKAGE)) >= 5


@pytest.mark.parametrize("name", names(PACKAGE))
def test_a_rule_has_a_version_runs_on_its_defaults_and_takes_an_empty_set(name: str) -> None:
    rule = find(PACKAGE, name)
    assert rule.VERSION
    assert rule.reject([], options_of(PACKAGE, name)()) == {}


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, rules in DEFAULT_RULES.items() for name in rules]
)
def test_good_samples_pass_every_default_rule_of_their_kind(kind: Kind, name: str) -> None:
    assert find(PACKAGE, name).reject(GOOD[kind](), options_of(PACKAGE, name)()) == {}


@pytest.mark.parametrize("kind", DEFAULT_RULES)
def test_what_is_the_same_is_looked_for_last(kind: Kind) -> None:
    assert DEFAULT_RULES[kind][-1] == "near_duplicate"
