import pytest

from assets.personal_data.detect import findings, values
from assets.personal_data.redact import redact

TEXT = "Anna: jane@x.example, +44 20 7946 0958, 4111 1111 1111 1111, DE89 3704 0044 0532 0130 00"


def test_all_kinds_are_found_in_the_order_asked_for() -> None:
    assert findings(TEXT, people=["Anna"]) == ["email", "phone", "card", "iban", "name"]
    assert findings(TEXT, ("iban", "email")) == ["iban", "email"]


def test_the_values_are_given_with_their_kinds() -> None:
    assert values("ask Anna or jane@x.example", people=["Anna Berg"]) == [
        ("jane@x.example", "email"),
        ("Anna", "name"),
    ]


def test_names_are_found_only_of_the_people_given() -> None:
    assert findings("Anna wrote to Ben") == []
    assert findings("Anna wrote to Ben", people=["Ben Owusu"]) == ["name"]


def test_what_was_redacted_holds_nothing_more() -> None:
    kinds = ("email", "phone", "card", "iban", "name")
    assert findings(redact(TEXT, kinds, "", ["Anna"])[0], people=["Anna"]) == []


@pytest.mark.parametrize("text", ["", "https://x.example/anna?to=Anna", "Anna@Berg.example"])
def test_links_and_addresses_hold_no_names(text: str) -> None:
    assert "name" not in findings(text, people=["Anna Berg"])
