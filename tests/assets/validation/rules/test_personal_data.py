import pytest

from assets.validation.rules.personal_data import Options, reject
from tests.assets.validation.samples import mails, posts, sample


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("email", "write to jane.doe@harbourline.example."),
        ("phone", "ring +44 20 7946 0958 today"),
        ("phone", "or (415) 555-0134"),
        ("card", "paid with 4111 1111 1111 1111, thanks"),
        ("iban", "to DE89 3704 0044 0532 0130 00 PLEASE"),
    ],
)
def test_personal_data_is_rejected_by_kind_without_repeating_it(kind: str, text: str) -> None:
    assert reject([sample("a", subject="Hello", body=text)], Options()) == {"a": f"{kind} in body"}


@pytest.mark.parametrize(
    "text",
    [
        "Ask person-3fa2c1@harbourline.example or <phone-1a2b3c>, <card-0a1b2c>, <iban-99ffee>.",
        "See https://bank.example/pay?to=4111111111111111&who=jane@bank.example",
        "See bank.example/4111111111111111 and http://jane@bank.example/x",
        "On 2026-03-01 08:10 order 0412345678 of 1,250,000 rows came to 10.0.0.138",
        "Tracking 4111 1111 1111 1112 and DE89 3704 0044 0532 0130 01",
        "@everyone: version 1.2.3-4 costs +12 %",
    ],
)
def test_pseudonyms_links_dates_and_other_numbers_pass(text: str) -> None:
    assert reject([sample("a", prompt="An idea", completion=text)], Options()) == {}


@pytest.mark.parametrize("name", ["chosen", "rejected", "anchor", "negative", "history", "system"])
def test_every_field_that_is_learnt_from_is_looked_through(name: str) -> None:
    rows = [sample("a", "train", **{name: "ring +44 20 7946 0958 today"})]
    assert reject(rows, Options()) == {"a": f"phone in {name}"}


def test_a_masker_may_keep_what_it_masks_in_its_prompt_and_nowhere_else() -> None:
    only = Options(fields=("completion",))
    found = "jane@harbourline.example"
    rows = [sample("a", prompt=found, completion="[EMAIL]"), sample("b", completion=found)]
    assert reject(rows, only) == {"b": "email in completion"}


def test_only_the_chosen_kinds_are_looked_for() -> None:
    rows = [sample("a", body="jane@harbourline.example")]
    assert reject(rows, Options(look_for=("phone",))) == {}


def test_whole_sets_of_clean_samples_pass() -> None:
    assert reject([*posts(), *mails()], Options()) == {}
