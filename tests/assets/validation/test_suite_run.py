import re
from dataclasses import replace

import pytest

from assets.records import Sample
from assets.validation.config import Expectation, ValidationConfig
from assets.validation.expectations import suite
from assets.validation.suite_run import SuiteResult, run_suite
from tests.assets.validation.samples import mails, posts, queries, texts, titles


def _run(samples: list[Sample], **section: object) -> SuiteResult:
    config = ValidationConfig.model_validate(section)
    return run_suite("demo", samples, suite(samples, config))


@pytest.mark.parametrize("samples", [posts(), mails(), titles(), queries(), texts()])
def test_a_good_set_meets_its_built_in_suite(samples: list[Sample]) -> None:
    found = _run(samples, labels=["safe", "phishing"])
    assert found.failures == []
    assert found.expectations >= 7


def test_one_class_only_is_said_for_training_and_for_scoring() -> None:
    rows = [replace(s, fields={**s.fields, "label": "phishing"}) for s in mails()]
    assert _run(rows).failures == [
        f"label: {split} holds two classes or more: with one there is nothing to tell apart "
        "(expect_column_unique_value_count_to_be_between): found 1"
        for split in ("test", "train")
    ]


def test_fewer_than_ten_rows_are_said_with_their_number() -> None:
    assert _run(posts(7)).failures == [
        "at least 10 samples (expect_table_row_count_to_be_between): found 7"
    ]
    assert _run(posts(7), min_rows=5).failures == []


def test_an_empty_set_fails_without_an_error() -> None:
    assert (
        "at least 10 samples (expect_table_row_count_to_be_between): found 0" in _run([]).failures
    )


def test_a_field_that_is_missing_somewhere_is_counted() -> None:
    rows = posts()
    rows[3] = replace(rows[3], fields={"completion": "a post without an idea"})
    assert _run(rows).failures == [
        "prompt: every sample has its prompt (expect_column_values_to_not_be_null): "
        "1 of 15 do not, such as an empty one"
    ]


def test_answers_that_do_not_differ_are_counted() -> None:
    rows = titles()
    rows[3] = replace(rows[3], fields={**rows[3].fields, "rejected": rows[3].fields["chosen"]})
    (failure,) = _run(rows).failures
    assert failure.startswith(
        "chosen and rejected differ "
        "(expect_select_column_values_to_be_unique_within_record): 1 of 15 do not, such as "
    )


def test_a_history_is_json_where_there_is_one() -> None:
    rows = posts()
    for i, history in ((2, "[]"), (5, "user: hello")):
        rows[i] = replace(rows[i], fields={**rows[i].fields, "history": history})
    assert _run(rows).failures == [
        "history: every history is JSON (expect_column_values_to_be_json_parseable): "
        "1 of 15 do not, such as 'user: hello'"
    ]


def test_an_expectation_of_the_yaml_is_checked_and_its_failure_shows_examples() -> None:
    own = {
        "type": "expect_column_values_to_match_regex",
        "kwargs": {"column": "prompt", "regex": "^how "},
    }
    (failure,) = _run(posts(), expectations=[own]).failures
    assert failure.startswith(
        "prompt: column values to match regex (expect_column_values_to_match_regex): "
        "15 of 15 do not, such as 'why backfills matter', "
    )


def test_an_expectation_over_a_column_that_does_not_exist_fails_with_its_name() -> None:
    own = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "titel"}}
    (failure,) = _run(posts(), expectations=[own]).failures
    assert 'could not be checked: Error: The column "titel" in BatchData does not exist' in failure


@pytest.mark.parametrize(
    ("type", "kwargs", "message"),
    [
        (
            "expect_colum_values_to_be_unique",
            {"column": "id"},
            "did you mean: expect_column_values_to_be_unique",
        ),
        (
            "expect_column_values_to_match_regex",
            {"column": "id", "regx": "x"},
            "expectation .*_regex: regx extra fields not permitted",
        ),
        ("expect_column_values_to_be_unique", {}, "expectation .*_unique: column field required"),
    ],
)
def test_an_impossible_expectation_is_refused_with_what_is_wrong(
    type: str, kwargs: dict[str, str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        run_suite("demo", posts(), [Expectation(type=type, kwargs=kwargs)])


def test_the_data_docs_page_names_the_failure_and_asks_no_host_for_anything() -> None:
    html = _run(posts(7)).html
    assert "at least 10 samples" in html
    assert not re.findall(r"(?:src|href)=[\"']?https?:|url\(['\"]?https?:|<script", html)


def test_a_hostile_value_is_shown_as_text_in_the_data_docs() -> None:
    hostile = "<img src=x onerror=alert(1)> $x ${y}"
    rows = [replace(m, fields={**m.fields, "label": hostile}) for m in mails()]
    html = _run(rows, labels=["safe", "phishing"]).html
    assert "&lt;img src=x onerror=alert(1)&gt; $x ${y}" in html and "<img" not in html
    assert html.index("Content-Security-Policy") < html.index("<style")
