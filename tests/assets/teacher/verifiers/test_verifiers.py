"""What each verifier accepts, and why it does not."""

import inspect
from typing import Any

import pytest

from assets.discovery import find, names, options_of
from tests.assets.teacher.tasks.talking import document

PACKAGE = "assets.teacher.verifiers"


def problem(verifier: str, said: str, keys: dict[str, Any], **metadata: str) -> str:
    module = find(PACKAGE, verifier)
    return module.verify(said, document("?", **metadata), module.Options(**keys)).problem


def test_every_file_verifies_or_asks_with_its_options() -> None:
    assert {"exact_match", "judge"} <= set(names(PACKAGE))
    for name in names(PACKAGE):
        module = find(PACKAGE, name)
        by_rule = hasattr(module, "verify")
        assert by_rule != hasattr(module, "request"), name
        asked = inspect.signature(module.verify if by_rule else module.request).parameters
        wanted = ["answer", "document", "options"] if by_rule else ["prompt", "answer", "safe"]
        assert list(asked)[:3] == wanted, name
        options_of(PACKAGE, name)()


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        ("1,250", "100 and 1,150.\nThe answer is 1250."),
        ("1250", "1250.00 in all"),
        ("42", "#### 42"),
        ("-3", "It falls to -3."),
        ("-3", "It falls to \u22123."),
        ("$5", "We pay 2 and 3, so $5"),
        ("12%", "That is 12 %"),
        ("42", "The answer is 42, because 6 times 7 is that."),
        ("partition pruning", "Partition pruning!"),
        ("partition pruning", "It reads less.\nAnswer: partition pruning."),
        ("Straße", "STRASSE"),
    ],
)
def test_an_exact_match_reads_numbers_and_words_however_they_are_written(
    expected: str, answer: str
) -> None:
    assert problem("exact_match", answer, {}, answer=expected) == ""


@pytest.mark.parametrize(
    ("expected", "answer", "reason"),
    [
        ("42", "41", "another number"),
        ("42", "42 or 43", "another number"),
        ("42", "4.2", "another number"),
        ("42", "I do not know.", "no number"),
        ("partition pruning", "No partition pruning here.", "another answer"),
    ],
)
def test_a_near_miss_is_no_match(expected: str, answer: str, reason: str) -> None:
    assert reason in problem("exact_match", answer, {}, answer=expected)


def test_a_document_without_the_right_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="no 'result'; there are: answer"):
        problem("exact_match", "42", {"answer_from": "result"}, answer="42")


SCHEMA = {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ('{"city": "Bremen"}', ""),
        ('```json\n{"city": "Bremen"}\n```', ""),
        ('{"city": 3}', "$.city: 3 is not of type 'string'"),
        ("{}", "$: 'city' is a required property"),
        ("The city is Bremen.", "no JSON: "),
    ],
)
def test_json_is_held_to_its_schema(answer: str, reason: str) -> None:
    found = problem("json_schema", answer, {"json_schema": SCHEMA})
    assert found.startswith(reason) and bool(found) == bool(reason)


def test_a_schema_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no JSON schema: 'strin' is not valid"):
        problem("json_schema", "{}", {"json_schema": {"type": "strin"}})


def test_a_pattern_must_stand_in_the_answer_or_must_not() -> None:
    assert problem("regex", "Dear Anna,\nhi", {"pattern": "^hi$"}) == ""
    assert problem("regex", "Hello", {"pattern": "^Dear"}) == "the answer lacks '^Dear'"
    link = {"pattern": "https?://", "holds": False}
    assert problem("regex", "see http://a.example", link) == "the answer holds 'https?://'"


def test_a_length_is_counted_in_words() -> None:
    assert problem("length", "one two", {"min_words": 2, "max_words": 2}) == ""
    assert problem("length", "one", {"min_words": 2}) == "1 words, fewer than 2"
    assert problem("length", "one two", {"max_words": 1}) == "2 words, more than 1"
    with pytest.raises(ValueError, match="min_words 5 is over max_words 3"):
        problem("length", "one", {"min_words": 5, "max_words": 3})


@pytest.mark.parametrize("score", [0, 11, "9", None, True])
def test_a_judge_without_a_score_is_refused(score: object) -> None:
    judge = find(PACKAGE, "judge")
    request = judge.request("Why?", "So.", document("Why?"), judge.Options())
    with pytest.raises(ValueError, match="no score from 1 to 10"):
        request.parse({"reason": "", "score": score})
    assert request.parse({"reason": "", "score": 6}).problem == "score 6, below 7"
    assert request.parse(dict(request.stand_in)).accepted
