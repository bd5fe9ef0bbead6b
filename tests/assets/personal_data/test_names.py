import re
import time

import pytest

from assets.personal_data.detect import findings
from assets.personal_data.names import find_names
from assets.personal_data.redact import redact

KINDS = ("email", "phone", "card", "iban", "secret", "name")


def clean(text: str, *people: str, key: str = "") -> str:
    return redact(text, KINDS, key, people)[0]


def named(text: str, *people: str) -> list[str]:
    return [text[start:end] for start, end, _ in find_names(text, people)]


def test_a_person_has_one_pseudonym_under_each_form_of_the_name() -> None:
    text = "Anna Lindholm: thanks Anna! Lindholm's slides, Lindholm Anna, ANNA LINDHOLM"
    made = clean(text, "Anna Lindholm", "Ben Owusu")
    assert "nna" not in made
    assert len(set(re.findall("<name-[0-9a-f]{6}>", made))) == 1
    assert clean("Ben", "Anna Lindholm", "Ben Owusu") != clean("Anna", "Anna Lindholm")


@pytest.mark.parametrize(
    "spelled",
    [
        *("Anna Lindholm", "Lindholm, Anna", "Dr. Anna K. Lindholm, PhD", "ANNA LINDHOLM"),
        *("anna lindholm", "Anna (Annie) Lindholm", "Anna Lindholm | Harbourline"),
    ],
)
def test_each_spelling_of_a_name_gives_the_same_pseudonym(spelled: str) -> None:
    assert clean("Hi Anna Lindholm.", spelled) == clean("Hi Anna Lindholm.", "Anna Lindholm")
    assert clean(f"{spelled}.", spelled).startswith(("<name-", "Dr. <name-"))


@pytest.mark.parametrize(
    ("text", "person", "found"),
    [
        ("Anna's, Anna\u2019s and Annas car", "Anna Lindholm", ["Anna", "Anna", "Anna"]),
        ("Zoe Weiss, Zoë Weiß, Weiss", "Zoë Weiß", ["Zoe Weiss", "Zoë Weiß", "Weiss"]),
        ("Jose and José", "Jose Garcia", ["Jose", "José"]),
        ("Joerg, Jörg, Jorg", "Jörg Müller", ["Joerg", "Jörg", "Jorg"]),
        ("Anna-Lena, Lena, O'Brien", "Anna-Lena O'Brien", ["Anna-Lena", "Lena", "O'Brien"]),
        ("Anna\nLindholm wraps", "Anna Lindholm", ["Anna\nLindholm"]),
        ("Annie rang", "Anna (Annie) Lindholm", ["Annie"]),
        ("@Anna _Anna_ (Anna)", "Anna Lindholm", ["Anna", "Anna", "Anna"]),
        ("田中さん、太郎へ。田中太郎", "田中 太郎", ["田中", "太郎", "田中太郎"]),
        ("李小明說,小明", "李小明", ["李小明", "小明"]),
        ("김철수씨 철수야", "김철수", ["김철수", "철수"]),
        ("अनिल कुमार और अनिल", "अनिल कुमार", ["अनिल कुमार", "अनिल"]),
        ("Нина и Нину", "Нина Орлова", ["Нина"]),
        ("Bo Li came with bo", "Bo Li", ["Bo Li"]),
    ],
)
def test_names_of_many_scripts_and_spellings_are_found(
    text: str, person: str, found: list[str]
) -> None:
    assert named(text, person) == found


@pytest.mark.parametrize(
    "text",
    [
        *("anna said", "Annabel came", "Anna2", "Lindholms2", "Joanna", "the Lind holm"),
        "ben anna.example, see annalind.example/x",
    ],
)
def test_other_words_are_no_names(text: str) -> None:
    assert named(text, "Anna Lindholm") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Mark the date. Will you come? May I? In May.", []),
        ("Hi Mark, dear Will, thanks May", ["Mark", "Will", "May"]),
        ("Will, can you?\nMark: yes\nMay", ["Will", "Mark", "May"]),
        ("I asked Will and Mark.", ["Will", "Mark"]),
        ("Mark's slides", ["Mark"]),
        ("Mark Owusu and Will May", ["Mark Owusu", "Will May"]),
        ("will mark", []),
    ],
)
def test_a_name_that_is_a_word_counts_where_it_can_be_no_other(text: str, found: list[str]) -> None:
    assert named(text, "Mark Owusu", "Will May") == found


@pytest.mark.parametrize(
    "person",
    ["LinkedIn Member", "You", "Support Team", "no-reply@x.example", "<name-3fa2c1>", "", "123"],
)
def test_what_names_nobody_is_found_nowhere(person: str) -> None:
    text = "Your Support Team and LinkedIn Member 123 <name-3fa2c1> no-reply@x.example"
    assert named(text, person) == []


def test_a_first_name_that_two_people_share_is_neither_of_them() -> None:
    text = clean("Anna / Anna Lindholm / Anna Berg", "Anna Lindholm", "Anna Berg")
    assert len(set(text.split(" / "))) == 3


def test_a_first_name_alone_is_whoever_has_it_in_full() -> None:
    people = ("Anna", "Anna Lindholm")
    assert clean("Anna", *people) == clean("Lindholm", *people)


def test_the_order_of_the_people_changes_nothing() -> None:
    people = ["Anna Lindholm", "Lindholm Anna", "Anna", "Ben Owusu", "Anna Berg"]
    text = "Anna, Ben, Berg, Anna Lindholm"
    assert clean(text, *people) == clean(text, *reversed(people))


def test_redacting_names_twice_changes_nothing_more() -> None:
    people = ("Anna Lindholm", "Mark Owusu", "田中 太郎", "Name Will")
    once = clean("Anna and Mark, Name: anna.lindholm@x.example 田中さん", *people)
    assert clean(once, *people) == once


def test_a_profiles_address_and_a_mail_address_stay_addresses() -> None:
    text = "https://www.linkedin.com/in/anna-lindholm-3b2?x=1 Anna@Lindholm.example"
    assert re.fullmatch(
        r"https://www\.linkedin\.com/in/name-[0-9a-f]{6}-3b2\?x=1 "
        r"person-[0-9a-f]{6}@lindholm\.example",
        clean(text, "Anna Lindholm"),
    )
    assert redact("Anna@Lindholm.example", ["name"], "", ["Anna Lindholm"])[1] == {}


def test_another_key_gives_another_pseudonym_and_names_are_counted() -> None:
    assert clean("Anna", "Anna Berg", key="1") != clean("Anna", "Anna Berg", key="2")
    text, found = redact("Anna, Berg", KINDS, "", ["Anna Berg"])
    assert found == {"name": 2}
    assert redact("Anna, Berg", ["email"], "", ["Anna Berg"]) == ("Anna, Berg", {})
    assert findings(text, ("name",), ["Anna Berg"]) == []


def test_many_people_and_a_long_text_take_no_long_time() -> None:
    people = [f"Anna{'abcdefghij'[i % 10]} Berg{i}x" for i in range(2000)]
    started = time.process_time()
    clean("Annaa met Berg7x and others. " * 20_000, *people)
    assert time.process_time() - started < 4


def test_a_name_at_a_sentences_end_and_the_next_lines_speaker_are_two() -> None:
    chat = "Ben: Thank you, Ms Lindholm.\nAnna: Bye.\n\nAnna\n\nLindholm wrote, and Anna\nLindholm."
    found = named(chat, "Anna Lindholm")
    assert found == ["Lindholm", "Anna", "Anna", "Lindholm", "Anna\nLindholm"]
