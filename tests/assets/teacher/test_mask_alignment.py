"""What the marks of a masked text stand for, to the character."""

import pytest

from assets.teacher.mask_alignment import changed, spans_of
from assets.teacher.masking import mask
from tests.assets.teacher.test_masking import CHAT, MASKED, PEOPLE


def hidden(text: str, masked: str) -> list[tuple[str, str]]:
    return [(span["label"], text[span["start"] : span["end"]]) for span in spans_of(text, masked)]


def test_a_span_is_what_its_mark_stands_for() -> None:
    assert hidden(CHAT, MASKED) == [
        ("NAME", "Maria Lindholm"),
        ("NAME", "maria"),
        ("PHONE", "+44 20 7946 0958"),
        ("EMAIL", "m.lindholm@post.example"),
        ("NAME", "Maria"),
        ("NAME", "Lindholm"),
    ]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Send it to 45 Saltmarket, G1 5LX, please.", "Send it to [ADDRESS], please."),
        ("  Tom\n\n\nand Tim  ", "[NAME]\nand [NAME]"),
        ("It is 12 Mill Lane,\nLeeds.", "It is [ADDRESS]."),
        ("https://a.example/x?token=s3cr3t now", "https://a.example/x?token=[SECRET] now"),
        ("José 🚚 Núñez-Peña waits", "[NAME] 🚚 [NAME] waits"),
    ],
)
def test_the_text_with_its_spans_replaced_is_the_masked_text(text: str, masked: str) -> None:
    for span in reversed(spans_of(text, masked)):
        text = f"{text[: span['start']]}[{span['label']}]{text[span['end'] :]}"
    assert text.split() == masked.split()


def test_a_mark_that_the_text_already_holds_hides_nothing() -> None:
    assert hidden("[NAME]: I am Tom.", "[NAME]: I am [NAME].") == [("NAME", "Tom")]


def test_of_two_readings_the_one_with_the_same_spaces_is_taken_then_the_shortest() -> None:
    text, masked = "mail m.berg@post.example. Anna waits", "mail [EMAIL]. [NAME] waits"
    assert hidden(text, masked) == [("EMAIL", "m.berg@post.example"), ("NAME", "Anna")]
    found = hidden("Anna Maria Berg waits", "[NAME] [NAME] waits")
    assert found == [("NAME", "Anna"), ("NAME", "Maria Berg")]


def test_the_rules_own_masks_are_followed() -> None:
    text = "Maria Lindholm: born on 3 May 1990, 12 Harbour Street, Leeds LS1 4AB. Maria"
    assert [label for label, _ in hidden(text, mask(text, PEOPLE))] == [
        *("NAME", "DATE_OF_BIRTH", "ADDRESS", "NAME")
    ]


def test_a_changed_word_has_no_spans() -> None:
    with pytest.raises(ValueError, match="changed, near word 1"):
        spans_of("Hi, Tom here.", "Hello, [NAME] here.")
    assert changed("Hi, Tom:\nbye", "Hi, [NAME]") == "the end of the text is missing"
