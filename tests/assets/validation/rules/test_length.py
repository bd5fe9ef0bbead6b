from assets.validation.rules.length import Options, reject
from tests.assets.validation.samples import sample

TEXT = "one two three four five"


def test_a_text_within_the_limits_passes() -> None:
    rows = [sample("a", prompt="p", completion=TEXT), sample("b", body=TEXT)]
    assert reject(rows, Options(min_words=5, max_words=5)) == {}


def test_a_short_text_is_rejected_with_its_count() -> None:
    reasons = reject([sample("a", prompt=TEXT, completion="Yes!")], Options())
    assert reasons == {"a": "1 words, at least 2 needed"}


def test_a_long_text_is_rejected_with_its_count() -> None:
    reasons = reject([sample("a", subject="six", body=TEXT)], Options(max_words=5))
    assert reasons == {"a": "6 words, at most 5 allowed"}


def test_of_several_texts_the_short_one_is_named() -> None:
    rows = [
        sample("a", prompt="p", chosen=TEXT, rejected="No"),
        sample("b", anchor=TEXT, positive=TEXT),
        sample("c", anchor=TEXT, positive=TEXT, negative=""),
    ]
    assert reject(rows, Options()) == {
        "a": "rejected: 1 words, at least 2 needed",
        "c": "negative: 0 words, at least 2 needed",
    }


def test_a_text_without_spaces_between_words_is_counted_by_characters() -> None:
    assert (
        reject([sample("a", prompt="p", completion="\u4eca\u65e5\u306f")], Options(min_words=3))
        == {}
    )
