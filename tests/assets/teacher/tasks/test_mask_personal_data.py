"""Masks by rules and by a teacher, and the audit that finds the ones that mask too little."""

from dataclasses import replace
from typing import Any

import pytest

from assets.records import Document
from assets.teacher.privacy import without_personal_data
from assets.teacher.protocol import Message, Refused
from assets.teacher.spotlight import unmarked
from assets.teacher.tasks import mask_personal_data as task
from tests.assets.teacher.tasks.talking import checked, document, talk

OPTIONS = task.Options()
TEXT = "Maria Lindholm: Ring me on +44 20 7946 0958.\n\nAgent: Thanks, Maria."
MASKED = "[NAME]: Ring me on [PHONE].\n\nAgent: Thanks, [NAME]."
CHAT = document(TEXT, people="Maria Lindholm")


def offline(about: Document) -> dict[str, str]:
    made = task.offline([about], OPTIONS)[about.id]
    if isinstance(made, Refused):
        raise ValueError(made.reason)
    return made[0]


def test_the_source_s_people_are_masked_without_a_teacher() -> None:
    made = offline(CHAT)
    assert (made["prompt"], made["completion"]) == (TEXT, MASKED)
    assert task.faults([checked(made, CHAT)], OPTIONS) == {}


def test_a_speaker_is_a_person_though_the_source_names_none() -> None:
    turns = [
        {"speaker": "Maria Lindholm", "text": "Ring me on +44 20 7946 0958.", "date": ""},
        {"speaker": "Agent", "text": "Thanks, Maria.", "date": ""},
    ]
    assert offline(replace(document(TEXT), turns=turns))["completion"] == MASKED


def test_a_text_without_personal_data_stays_as_it_is() -> None:
    made = offline(document("The parcel is late."))
    assert made["completion"] == made["prompt"]


@pytest.mark.parametrize("pseudonym", ["<phone-1a2b3c>", "person-3fa2c1@post.example"])
def test_a_text_with_pseudonyms_teaches_nothing_and_says_what_to_do(pseudonym: str) -> None:
    with pytest.raises(ValueError, match=r"set `redact: \[\]` in the extraction"):
        offline(document(f"Ring {pseudonym}."))


def finding_the_cat(messages: list[Message], number: int) -> dict[str, object]:
    return {"masked": unmarked(text_of(messages)).replace("Whiskerling", "[OTHER]")}


def text_of(messages: list[Message]) -> str:
    return "\n".join(messages[-1]["content"].split("\n")[1:-1])


def test_a_teacher_gets_the_text_masked_by_rules_and_finds_what_they_miss() -> None:
    about = document(f"{TEXT}\nMaria Lindholm: My cat is Whiskerling.", people="Maria Lindholm")
    [made], asked = talk(task, about, OPTIONS, finding_the_cat, without_personal_data(about, "key"))
    assert made["completion"] == f"{MASKED}\n[NAME]: My cat is [OTHER]."
    assert made["prompt"] == about.text
    sent = str([query.messages[-1] for query in asked])
    assert not any(value in sent for value in ("Lindholm", "Maria", "7946", "<phone-"))


INVENTED: dict[str, Any] = {
    "turns": [
        {"speaker": "Maria Lindholm", "text": "Ring me on +44 20 7946 0958."},
        {"speaker": "Agent", "text": "Thanks, Maria. Is it still Whiskerling's bowl?"},
    ],
    "people": ["Maria Lindholm"],
    "values": ["+44 20 7946 0958", "Whiskerling"],
}


def inventing(mask: str, chat: dict[str, Any] = INVENTED) -> Any:
    def say(messages: list[Message], number: int) -> dict[str, object]:
        return chat if "Invent" in messages[0]["content"] else {"masked": mask}

    return say


def invented(mask: str, chat: dict[str, Any] = INVENTED) -> list[dict[str, str]]:
    options = task.Options(invent=True)
    return talk(task, document("a late parcel"), options, inventing(mask, chat))[0]


GOOD = "[NAME]: Ring me on [PHONE].\nAgent: Thanks, [NAME]. Is it still [OTHER]'s bowl?"


def test_a_teacher_invents_a_chat_and_masks_it_in_a_second_pass() -> None:
    [made] = invented(GOOD)
    assert made["prompt"].startswith("Maria Lindholm: Ring me on +44")
    assert made["completion"] == GOOD
    assert made["people"] == "Maria Lindholm"
    assert task.faults([checked(made, document("a late parcel"))], OPTIONS) == {}


def test_several_chats_of_one_subject_are_drawn_apart() -> None:
    options = task.Options(invent=True, n_per_document=3)
    made, asked = talk(task, document("a late parcel"), options, inventing(GOOD))
    assert (len(made), len(asked)) == (3, 6)
    assert [query.sample_index for query in asked[:3]] == [0, 1, 2]


@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        (GOOD.replace("[NAME]:", "Maria Lindholm:"), "a name stands as the speaker of line 1"),
        (GOOD.replace("[OTHER]'s", "Whiskerling's"), "personal data that was listed"),
        (GOOD.replace("still", "really"), "something else than personal data was changed"),
        ("", "no text under 'masked'"),
        ("I'm sorry, but I can't help with that.", "something else than personal data"),
    ],
)
def test_a_second_pass_that_masks_wrongly_is_refused_with_the_reason(
    mask: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        invented(mask)


@pytest.mark.parametrize(
    ("chat", "reason"),
    [
        ({}, "no turns"),
        ({**INVENTED, "turns": ["hi"]}, "is no chat"),
        ({**INVENTED, "values": ["12 Mill Lane"]}, "does not stand in the chat"),
        ({**INVENTED, "turns": INVENTED["turns"][1:], "people": []}, "names nobody"),
        (
            {**INVENTED, "turns": [{"speaker": "A", "text": "I can't help with that."}]},
            "is a refusal",
        ),
    ],
)
def test_a_chat_that_is_none_is_refused_with_the_reason(chat: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        invented(GOOD, chat)


def test_the_audit_finds_each_of_a_hundred_labels_that_keep_the_customer_s_name_as_speaker() -> (
    None
):
    rows = []
    for number in range(100):
        text = f"Tamsin Vale: My parcel {number} is late.\nAgent: I am sorry, Tamsin."
        kept = f"Tamsin Vale: My parcel {number} is late.\nAgent: I am sorry, [NAME]."
        fields = {"prompt": text, "completion": kept, "text": text, "people": "Tamsin Vale"}
        rows.append(checked(fields, document("a late parcel"), str(number)))
    found = task.faults(rows, OPTIONS)
    assert len(found) == 100
    assert set(found.values()) == {"a name stands as the speaker of line 1"}


@pytest.mark.parametrize(
    ("completion", "reason"),
    [
        (MASKED.replace(", [NAME]", ", Maria"), "still personal data: name"),
        (MASKED.replace("[PHONE]", "+44 20 7946 0958"), "still personal data: phone"),
        (MASKED.replace("Thanks", "Thank you"), "something else than personal data was changed"),
        (TEXT, "a name stands as the speaker"),
    ],
)
def test_the_audit_knows_the_document_s_people_and_words(completion: str, reason: str) -> None:
    fields = {"prompt": f"Mask this:\n{TEXT}", "completion": completion}
    assert reason in task.faults([checked(fields, CHAT)], OPTIONS)["s"]
