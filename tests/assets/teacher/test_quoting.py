"""Runs of copied words."""

from assets.teacher.quoting import quotes

SOURCE = "A refund for a lost parcel is paid once the carrier has closed its search."


def test_a_longer_run_of_words_is_a_quote_whatever_its_case_and_marks() -> None:
    assert quotes("when: Lost, parcel IS paid?", SOURCE, 3) == "lost parcel is paid"


def test_a_run_of_the_allowed_length_and_words_in_another_order_are_none() -> None:
    assert quotes("lost parcel is gone", SOURCE, 3) == ""
    assert quotes("paid parcel lost refund", SOURCE, 1) == ""
