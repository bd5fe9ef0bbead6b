import pytest

from assets.records import Document
from assets.teacher.privacy import Personal, without_personal_data
from assets.teacher.spotlight import as_data

CHAT = Document(
    id="d1",
    group_id="g1",
    split="train",
    text="Amara Obi: mail amara.obi@harbourline.example or ring +44 20 7946 0958, says Amara.",
    metadata={"people": "Amara Obi\nJonas Weiss", "subject": "For Jonas"},
    turns=[{"speaker": "Amara Obi", "text": "My card is 4111 1111 1111 1111", "date": ""}],
)


def said(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": as_data("chat", text)}]


def test_what_leaves_holds_no_address_number_or_named_person_of_the_document():
    safe = without_personal_data(CHAT, "key")
    everything = " ".join([safe.text, *safe.metadata.values(), *safe.turns[0].values()])
    for value in ("amara.obi", "7946", "Amara", "Jonas", "4111"):
        assert value not in everything
    assert Personal.of(CHAT).leaked(said(everything)) == ""


def test_the_same_person_has_the_same_pseudonym_under_one_key_only():
    safe = without_personal_data(CHAT, "key")
    assert safe == without_personal_data(CHAT, "key")
    assert safe != without_personal_data(CHAT, "other")
    assert safe.turns[0]["speaker"] == safe.text.split(":")[0]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ring +44 (20) 7946-0958 now", "phone"),
        ("ring +44 20 7946 0958", "phone"),
        ("amara.obi@harbourline.example", "email"),
        ("so said Amara.", "name"),
        ("4111-1111-1111-1111", "card"),
    ],
)
def test_personal_data_is_found_in_a_request_behind_marks_and_spaces(text: str, kind: str):
    assert Personal.of(CHAT).leaked(said(text)) == kind


def test_a_name_inside_another_word_is_no_leak():
    document = Document("d", "g", "train", "Al Kent asks.", {"people": "Al Kent"})
    assert Personal.of(document).leaked(said("Also, Kentish towns.")) == ""


def test_what_the_task_says_about_every_document_is_nobodys_secret():
    rules = [{"role": "system", "content": "For instance: Amara, 4111 1111 1111 1111"}]
    personal = Personal.of(CHAT)
    assert personal.leaked(rules) == "name"
    assert personal.leaked(rules, {rules[0]["content"]}) == ""
