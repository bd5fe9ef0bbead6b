from assets.discovery import Options
from assets.validation.rules.same_text import reject
from tests.assets.validation.samples import queries, sample, titles


def test_texts_that_differ_pass() -> None:
    assert reject([*titles(), *queries()], Options()) == {}


def test_equal_answers_are_rejected_and_another_spelling_is_another_answer() -> None:
    rows = [
        sample("a", prompt="p", chosen="Follow the data", rejected="Follow  the data\n"),
        sample("b", prompt="p", chosen="Follow the data", rejected="Follow the Data!"),
    ]
    assert reject(rows, Options()) == {"a": "chosen and rejected are the same"}


def test_an_anchor_equals_neither_its_positive_nor_its_negative() -> None:
    rows = [
        sample("a", anchor="Who reads it?", positive="who reads it"),
        sample("b", anchor="Who reads it?", positive="Lineage tells", negative="lineage tells!"),
        sample("c", anchor="Who reads it?", positive="Lineage tells", negative="who reads it"),
        sample("d", anchor="Who reads it?", positive="Lineage tells", negative=""),
    ]
    assert reject(rows, Options()) == {
        "a": "anchor and positive are the same",
        "b": "positive and negative are the same",
        "c": "anchor and negative are the same",
    }
