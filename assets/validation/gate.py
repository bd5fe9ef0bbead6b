"""The gate: every sample either passes all rules or is kept apart with the rule and the reason.

A rule is a file in `rules/`:

    VERSION = "1"                        # raise it when the same options reject other samples
    class Options(assets.discovery.Options): ...
    def reject(samples, options) -> dict[str, str]: ...    # id of a bad sample -> reason
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol, cast

from assets.discovery import find
from assets.records import RejectedSample, Sample
from assets.validation.config import PACKAGE, RuleChoice, ValidationConfig
from assets.validation.reading import Kind, kind_of

# near_duplicate comes last: no sample is lost for being like one that another rule rejects.
DEFAULT_RULES: dict[Kind, tuple[str, ...]] = {
    "pair": ("length", "answer_in_prompt", "personal_data", "near_duplicate"),
    "labelled": ("length", "label_in_set", "personal_data", "near_duplicate"),
    "preference": (
        *("length", "answer_in_prompt", "same_text", "contradiction"),
        *("personal_data", "near_duplicate"),
    ),
    "retrieval": ("length", "answer_in_prompt", "same_text", "personal_data", "near_duplicate"),
    "plain": ("length", "personal_data", "near_duplicate"),
}


class Rule(Protocol):
    """What a file in `rules/` holds."""

    def reject(self, samples: Sequence[Sample], options: Any) -> dict[str, str]:
        """Return the reason of each sample that is rejected, by id, whatever the samples' order."""
        ...


@dataclass(frozen=True)
class Gated:
    """What the gate made of the samples; both lists keep their order."""

    validated: list[Sample]
    rejected: list[RejectedSample]

    def counts(self) -> dict[str, int]:
        """Return how many samples each rule rejected, as `rejected_<rule>`."""
        named = [f"rejected_{sample.rule}" for sample in self.rejected]
        return {name: named.count(name) for name in sorted(set(named))}


def gate(samples: Sequence[Sample], config: ValidationConfig) -> Gated:
    """Return the samples parted by the rules; a rejected one names the first that it broke."""
    _require_unique_ids(samples)
    left = list(samples)
    rejected: list[RejectedSample] = []
    for name, options in _rules(samples, config):
        reasons = cast(Rule, find(PACKAGE, name)).reject(left, options)
        rejected += [_rejected(s, name, reasons[s.id]) for s in left if s.id in reasons]
        left = [sample for sample in left if sample.id not in reasons]
    return Gated(left, rejected)


def _rules(samples: Sequence[Sample], config: ValidationConfig) -> Iterator[tuple[str, Any]]:
    """Yield each rule with its options; the section's labels go to a rule that takes labels."""
    kind = kind_of(samples)
    defaults = tuple(RuleChoice(name) for name in DEFAULT_RULES[kind]) if kind else ()
    for rule in defaults if config.rules is None else config.rules:
        options = rule.options()
        if "labels" in type(options).model_fields and options.labels is None:
            options = options.model_copy(update={"labels": config.labels})
        yield rule.name, options


def _rejected(sample: Sample, rule: str, reason: str) -> RejectedSample:
    shared = {f.name for f in fields(Sample)} & {f.name for f in fields(RejectedSample)}
    whole = {name: getattr(sample, name) for name in shared}
    return RejectedSample(**whole, rule=rule, reason=reason)


def _require_unique_ids(samples: Sequence[Sample]) -> None:
    seen: set[str] = set()
    for sample in samples:
        if sample.id in seen:
            raise ValueError(
                f"two samples have the id {sample.id!r}: a teacher task must number what it makes"
            )
        seen.add(sample.id)
