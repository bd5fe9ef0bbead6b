import math
from typing import Any

import pytest
from pydantic import ValidationError

from assets.registration.config import Gate, RegistrationConfig
from assets.registration.promotion import decide


def classifier(tuned: float, base: float = 0.5, **others: float) -> dict[str, Any]:
    scores = {"tuned": tuned, "base": base, **others}
    return {
        "gate_metric": "roc_auc",
        "metrics": {who: {"roc_auc": value, "f1": 0.5} for who, value in scores.items()},
        "lower_is_better": ["log_loss"],
        "champion_version": "1" if "champion" in others else None,
    }


def writer(tuned: float, base: float) -> dict[str, Any]:
    return {
        "gate_metric": "bits_per_byte",
        "metrics": {"tuned": {"bits_per_byte": tuned}, "base": {"bits_per_byte": base}},
        "lower_is_better": ["bits_per_byte"],
        "champion_version": None,
    }


CASES = [
    (
        classifier(0.981, 0.512, baseline=0.957),
        None,
        "promoted: roc_auc 0.981 beats the base 0.512 and the baseline 0.957; no champion yet",
    ),
    (classifier(0.9, 0.95), None, "held: roc_auc 0.900 does not beat the base 0.950"),
    (classifier(0.9, 0.9), None, "held: roc_auc 0.900 does not beat the base 0.900"),
    (
        classifier(0.9, 0.5, baseline=0.957),
        None,
        "held: roc_auc 0.900 does not beat the baseline 0.957",
    ),
    (
        classifier(0.96, champion=0.98),
        "1",
        "promoted: roc_auc 0.960 beats the base 0.500; "
        "is at most 0.02 worse than the champion 0.980",
    ),
    (
        classifier(0.959, champion=0.98),
        "1",
        "held: roc_auc 0.959 is more than 0.02 worse than the champion 0.980",
    ),
    (
        classifier(0.99, champion=0.98),
        "1",
        "promoted: roc_auc 0.990 beats the base 0.500; beats the champion 0.980",
    ),
    (
        classifier(0.99, champion=0.98),
        "2",
        "held: roc_auc 0.990 was compared with version 1, and version 2 is the champion now: "
        "materialize evaluation_report again",
    ),
    (
        classifier(0.99),
        "1",
        "held: roc_auc 0.990 was compared with no champion, and version 1 is the champion now: "
        "materialize evaluation_report again",
    ),
    (
        writer(2.1, 3.4),
        None,
        "promoted: bits_per_byte 2.100 beats the base 3.400; no champion yet (lower is better)",
    ),
    (
        writer(3.5, 3.4),
        None,
        "held: bits_per_byte 3.500 does not beat the base 3.400 (lower is better)",
    ),
]


@pytest.mark.parametrize(("evaluation", "champion", "reason"), CASES, ids=[c[2] for c in CASES])
def test_a_decision_says_in_numbers_why(
    evaluation: dict[str, Any], champion: str | None, reason: str
) -> None:
    decision = decide(evaluation, Gate(), champion)
    assert decision.reason == reason
    assert decision.promoted is reason.startswith("promoted")


def test_the_baseline_may_be_left_out_of_the_gate() -> None:
    evaluation = classifier(0.9, 0.5, baseline=0.957)
    assert decide(evaluation, Gate(beat_baseline=False), None).promoted


@pytest.mark.parametrize(
    ("ends", "reason"),
    [
        ((-0.015, 0.03), "promoted: roc_auc 0.990 beats the base 0.500; beats the champion 0.980"),
        (
            (-0.03, 0.05),
            "held: roc_auc 0.990 may be more than 0.02 worse than the champion 0.980 "
            "(95 % interval of the difference -0.030 to +0.050)",
        ),
    ],
)
def test_a_certain_gate_goes_by_the_worse_end_of_the_interval(
    ends: tuple[float, float], reason: str
) -> None:
    interval = {"metric": "roc_auc", "against": "champion", "low": ends[0], "high": ends[1]}
    evaluation = classifier(0.99, champion=0.98) | {"intervals": [interval]}
    assert decide(evaluation, Gate(certain=True), "1").reason == reason


def test_of_a_loss_the_worse_end_is_the_upper_one() -> None:
    interval = {"metric": "bits_per_byte", "against": "champion", "low": -0.5, "high": 0.01}
    evaluation = writer(2.1, 3.4) | {"champion_version": "1", "intervals": [interval]}
    evaluation["metrics"]["champion"] = {"bits_per_byte": 2.2}
    assert decide(evaluation, Gate(certain=True), "1").promoted
    interval["high"] = 0.03
    assert not decide(evaluation, Gate(certain=True), "1").promoted


def test_a_certain_gate_without_an_interval_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a paired interval of roc_auc against the champion"):
        decide(classifier(0.99, champion=0.98), Gate(certain=True), "1")


def test_the_margin_is_in_units_of_the_metric() -> None:
    evaluation = classifier(0.9, champion=0.98)
    assert not decide(evaluation, Gate(margin=0.05), "1").promoted
    assert decide(evaluation, Gate(margin=0.1), "1").promoted


def test_a_metric_that_the_report_has_not_is_refused_with_those_it_has() -> None:
    with pytest.raises(
        ValueError, match=r"'accuracy' is not in the evaluation; there are: f1, roc"
    ):
        decide(classifier(0.9), Gate(metric="accuracy"), None)


def test_an_evaluation_that_leaves_the_metric_open_asks_for_one() -> None:
    with pytest.raises(ValueError, match="set registration.gate.metric to one of f1, roc_auc"):
        decide({**classifier(0.9), "gate_metric": None}, Gate(), None)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_score_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"roc_auc of the tuned model is (nan|inf)"):
        decide(classifier(value), Gate(), None)


def test_a_rival_without_the_metric_is_refused() -> None:
    evaluation = classifier(0.9, champion=0.8)
    del evaluation["metrics"]["champion"]["roc_auc"]
    with pytest.raises(ValueError, match=r"no roc_auc for the champion model; it has: f1"):
        decide(evaluation, Gate(), "1")


def test_a_misspelt_key_and_a_negative_margin_are_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        RegistrationConfig.model_validate({"gate": {"metrik": "f1"}})
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        RegistrationConfig.model_validate({"gate": {"margin": -1}})
