"""Great Expectations over the samples: an ephemeral context, one pandas batch, one suite."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from assets.records import Sample
from assets.validation.config import Expectation
from assets.validation.data_docs import page

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import (
        ExpectationSuiteValidationResult,
        ExpectationValidationResult,
    )
    from great_expectations.expectations.expectation import Expectation as GxExpectation

MAX_EXAMPLES = 3


@dataclass(frozen=True)
class SuiteResult:
    """What the suite found."""

    expectations: int
    failures: list[str]  # one line each, for a person
    html: str  # the Data Docs page


def run_suite(
    name: str, samples: Sequence[Sample], expectations: Sequence[Expectation]
) -> SuiteResult:
    """Return what the expectations found; raises ValueError for one that cannot be."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # read when the library is imported
    result = _validate(name, _frame(samples), [_checked(e) for e in expectations])
    failures = sorted(_failure(found) for found in result.results if not found.success)
    return SuiteResult(len(expectations), failures, page(result))


def _frame(samples: Sequence[Sample]) -> "pd.DataFrame":
    """Return one row a sample: its fields beside its own columns, which win a clash of names."""
    import pandas as pd

    rows = [{**s.fields, "id": s.id, "group_id": s.group_id, "split": s.split} for s in samples]
    return pd.DataFrame(rows, columns=None if rows else ["id", "group_id", "split"])


def _validate(
    name: str, frame: "pd.DataFrame", expectations: "list[GxExpectation]"
) -> "ExpectationSuiteValidationResult":
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("tuneline").add_dataframe_asset("validated_samples")
    batch = asset.add_batch_definition_whole_dataframe("all")
    suite = context.suites.add(gx.ExpectationSuite(name, expectations=expectations))
    definition = gx.ValidationDefinition(name=name, data=batch, suite=suite)
    context.validation_definitions.add(definition)
    return definition.run(batch_parameters={"dataframe": frame}, result_format="SUMMARY")


def _checked(expectation: Expectation) -> "GxExpectation":
    from great_expectations.exceptions.exceptions import ExpectationNotFoundError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    try:
        return ExpectationConfiguration(
            type=expectation.type,
            kwargs=dict(expectation.kwargs),
            description=expectation.description or _in_words(expectation.type),
        ).to_domain_obj()
    except ExpectationNotFoundError:
        raise ValueError(_unknown(expectation.type)) from None
    except ValueError as error:  # pydantic's; its first line only counts the errors
        problem = " ".join(str(error).split("\n", 1)[-1].split())
        raise ValueError(f"expectation {expectation.type}: {problem}") from None


def _unknown(type: str) -> str:
    from great_expectations.expectations import registry

    known = sorted(registry.list_registered_expectation_implementations())
    close = get_close_matches(type, known, n=3) or known
    return f"unknown expectation {type!r}; did you mean: {', '.join(close)}"


def _failure(found: "ExpectationValidationResult") -> str:
    config = found.expectation_config
    assert config is not None  # a result of a suite always carries its configuration
    says = config.description or _in_words(config.type)
    column = config.kwargs.get("column")
    subject = f"{column}: {says}" if column else says
    return f"{subject} ({config.type}): {_observed(found.result or {}, found.exception_info)}"


def _observed(result: Mapping[str, Any], exception_info: Mapping[str, Any] | None) -> str:
    if "observed_value" in result:
        return f"found {result['observed_value']}"
    if "unexpected_count" in result:
        values = dict.fromkeys(map(_cut, result["partial_unexpected_list"]))
        examples = ", ".join(list(values)[:MAX_EXAMPLES])
        return (
            f"{result['unexpected_count']} of {result['element_count']} do not, such as {examples}"
        )
    return f"could not be checked: {_exception(exception_info or {})}"


def _exception(info: Mapping[str, Any]) -> str:
    """Return the first message; it lies one level deeper where a metric raised."""
    if "exception_message" in info:
        return str(info["exception_message"])
    return str(next(iter(info.values()))["exception_message"]) if info else "no reason given"


def _in_words(type: str) -> str:
    return type.removeprefix("expect_").replace("_", " ")


def _cut(value: object) -> str:
    if value is None or value != value:  # pandas' missing value is unequal to itself
        return "an empty one"
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
