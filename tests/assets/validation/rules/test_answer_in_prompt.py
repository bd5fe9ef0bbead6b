import pytest

from assets.validation.rules.answer_in_prompt import Options, reject
from tests.assets.validation.samples import posts, sample

POST = """Backfills fail quietly.

Nobody looks at them until the month ends and the numbers do not add up."""


def test_ideas_that_do_not_quote_the_post_pass() -> None:
    assert (
        reject([*posts(), sample("a", prompt="backfills that fail", completion=POST)], Options())
        == {}
    )


def test_a_prompt_that_holds_the_first_line_is_rejected_whatever_its_case_and_marks() -> None:
    rows = [sample("a", prompt="Write: BACKFILLS fail, quietly…", completion=POST)]
    assert reject(rows, Options()) == {
        "a": "the prompt holds the completion's first line 'backfills fail quietly'"
    }


def test_a_first_line_without_words_is_passed_over() -> None:
    rows = [sample("a", prompt="hello there", completion="🎉\nHello there")]
    assert "'hello there'" in reject(rows, Options())["a"]


def test_a_word_inside_another_word_is_no_quote() -> None:
    assert reject([sample("a", prompt="restarting", completion="Start\nnow")], Options()) == {}


def test_a_long_shared_run_is_rejected_and_shown() -> None:
    shared = "nobody looks at them until the month ends"
    rows = [sample("a", prompt=f"They say {shared}", completion=POST)]
    assert reject(rows, Options(max_shared_words=8)) == {}
    assert reject(rows, Options(max_shared_words=7)) == {
        "a": f"prompt and completion share 8 words or more: {shared!r}"
    }


def test_of_a_preference_the_chosen_answer_may_not_stand_in_the_prompt() -> None:
    rows = [
        sample("a", prompt="Title: follow the data", chosen="Follow the data", rejected="Lineage"),
        sample("b", prompt="Title: lineage", chosen="Follow the data", rejected="Lineage"),
    ]
    assert reject(rows, Options()) == {
        "a": "the prompt holds the chosen's first line 'follow the data'"
    }


def test_an_anchor_may_hold_its_positives_title_but_not_the_whole() -> None:
    rows = [
        sample("a", anchor="how backfills fail quietly", positive=POST),
        sample("b", anchor="why, said she, backfills fail", positive="Backfills fail."),
    ]
    assert reject(rows, Options()) == {"b": "the anchor holds the positive's text 'backfills fail'"}


def test_samples_without_prompt_are_refused_with_what_to_do() -> None:
    with pytest.raises(
        ValueError, match="needs the field 'prompt', but a holds body: leave the rule out"
    ):
        reject([sample("a", body="x")], Options())
