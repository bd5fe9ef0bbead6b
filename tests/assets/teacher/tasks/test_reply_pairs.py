import json
import os
from pathlib import Path

import pytest

from assets.extraction.config import ExtractionConfig
from assets.extraction.extract import extract
from assets.records import Document, Sample
from assets.teacher.protocol import Checked, Fields, Refused
from assets.teacher.tasks.reply_pairs import EXAMPLE, Options, faults, offline

ANNA, BEN = "<name-3fa2c1>", "<name-99ffee>"
ME = "<name-aaaaaa>"


def conversation(*said: tuple[str, str], **metadata: str) -> Document:
    turns = [{"speaker": speaker, "text": text, "date": ""} for speaker, text in said]
    return Document("d", "g", "train", "…", metadata, turns)


def pairs(document: Document, **options: object) -> list[Fields]:
    made = offline([document], Options.model_validate(options))["d"]
    assert not isinstance(made, Refused), made
    return made


def refusal(document: Document, **options: object) -> str:
    made = offline([document], Options.model_validate(options))["d"]
    assert isinstance(made, Refused)
    return made.reason


def fault(prompt: str, completion: str, people: str = "", **options: object) -> str:
    fields = {"prompt": prompt, "completion": completion}
    sample = Sample("s", "d", "g", "train", fields, "offline")
    document = Document("d", "g", "train", "…", {"people": people} if people else {})
    return faults([Checked(sample, document)], Options.model_validate(options)).get("s", "")


def test_the_worked_example_gives_its_pair() -> None:
    made = offline([EXAMPLE.document], Options())
    assert made == {"example": EXAMPLE.samples}


def test_each_answer_is_a_pair_with_what_went_before() -> None:
    made = pairs(
        conversation(
            *((ANNA, "Is it sold?"), (ANNA, "The boat."), ("owner", "Not yet."), ("owner", "Why?")),
            *((ANNA, "To see it."), ("owner", "Friday."), (ANNA, "Good.")),
        )
    )
    assert made == [
        {"prompt": "Is it sold?\nThe boat.", "completion": "Not yet.\nWhy?"},
        {
            "prompt": "To see it.",
            "completion": "Friday.",
            "history": json.dumps(
                [
                    {"role": "user", "content": "Is it sold?\nThe boat."},
                    {"role": "assistant", "content": "Not yet.\nWhy?"},
                ]
            ),
        },
    ]


def test_history_is_cut_and_begins_with_the_user() -> None:
    said = [pair for n in range(4) for pair in ((ANNA, f"q{n}"), ("owner", f"a{n}"))]
    for turns, contents in [(0, None), (1, None), (2, ["q2", "a2"]), (3, ["q2", "a2"])]:
        last = pairs(conversation(*said), max_history_turns=turns)[-1]
        history = [m["content"] for m in json.loads(last["history"])] if "history" in last else None
        assert (last["completion"], history) == ("a3", contents)
    opened = pairs(conversation(("owner", "Hello"), (ANNA, "Hi"), ("owner", "So?")))
    assert opened == [{"prompt": "Hi", "completion": "So?"}]


def test_in_a_group_it_is_said_who_spoke() -> None:
    (made,) = pairs(conversation((ANNA, "Eggs?"), (BEN, "Beans."), ("owner", "Both.")))
    assert made["prompt"] == f"{ANNA}: Eggs?\n{BEN}: Beans."


@pytest.mark.parametrize(
    "signed",
    [
        *("Not yet.\nCheers, {}", "Not yet. Cheers, {}", "Not yet.\n\u2013 {}", "Not yet.\n{}"),
        *("Not yet.\n\nBest regards,\n{}.", "Not yet.\nBien à vous, {}", "Not yet.\n-{}!"),
    ],
)
@pytest.mark.parametrize("owner", [ME, "Ida Brandt"])
def test_the_owners_name_at_the_end_is_cut_and_one_sign_off_put_there(
    signed: str, owner: str
) -> None:
    reply = signed.format(owner.split()[0])
    document = conversation((ANNA, "Sold?"), ("owner", reply), owner=owner)
    assert pairs(document)[0]["completion"] == "Not yet."
    made = pairs(document, sign_off="Cheers, Ida")[0]["completion"]
    assert made == "Not yet.\nCheers, Ida"


@pytest.mark.parametrize("reply", ["This is Ida.", "Thanks, Anna", "Ida, no", "Ask about Ida"])
def test_other_endings_stay(reply: str) -> None:
    document = conversation((ANNA, "Sold?"), ("owner", reply), owner="Ida Brandt")
    assert pairs(document)[0]["completion"] == reply


@pytest.mark.parametrize("spelled", ["-ShawGPT", "\u2013 shawgpt", "ShawGPT!", ""])
def test_every_spelling_of_the_sign_off_becomes_the_one(spelled: str) -> None:
    document = Document("d", "g", "train", "Sold?", {"reply": f"Not yet.\n{spelled}"})
    made = pairs(document, reply_from="reply", sign_off="\u2013ShawGPT")
    assert made == [{"prompt": "Sold?", "completion": "Not yet.\n\u2013ShawGPT"}]


def test_a_turn_that_is_only_a_signature_is_no_turn() -> None:
    document = conversation((ANNA, "a"), ("owner", ME), (ANNA, "b"), ("owner", "c"), owner=ME)
    assert pairs(document) == [{"prompt": "a\nb", "completion": "c"}]


def test_a_conversation_without_an_answer_says_so() -> None:
    assert refusal(conversation((ANNA, "Hi"), (BEN, "Hi"))) == "the owner answers nobody in it"
    assert refusal(conversation(("owner", "Hi"), (ANNA, "Hi"))).startswith("the owner answers")
    assert refusal(conversation()).startswith("no conversation: it has no turns")


def test_a_table_without_the_reply_names_what_it_has() -> None:
    document = Document("d", "g", "train", "Hi", {"reply": " ", "date": "2026"})
    assert refusal(document, reply_from="answer") == (
        "no 'answer' in the metadata; there are: date, reply"
    )
    assert refusal(document, reply_from="reply") == "the reply is empty"


@pytest.mark.parametrize(
    ("prompt", "reply", "says"),
    [
        ("Sold?", " ", "the reply is empty"),
        ("Is it sold yet?", "is it sold yet", "the reply copies the message"),
        ("So: is the old boat sold yet?", "Is the old boat sold yet? No.", ""),
        ("Is the old boat sold yet?", "Is the old boat sold yet? No.", "the reply copies"),
        ("Sold?", "Not yet, Anna.", "the reply still holds the name of one of the people"),
        ("Sold?", f"Not yet, {ANNA}.", ""),
        ("😂", "🤑", ""),
    ],
)
def test_faults_are_found(prompt: str, reply: str, says: str) -> None:
    assert fault(prompt, reply, "Anna Lindholm\nIda Brandt").startswith(says)
    assert bool(fault(prompt, reply, "Anna Lindholm")) == bool(says)


def test_the_sign_off_is_no_fault_and_alone_no_reply() -> None:
    signed = {"sign_off": "Cheers, Ida"}
    assert fault("Sold?", "Not yet.\nCheers, Ida", "Ida Brandt", **signed) == ""
    assert fault("Sold?", "Cheers, Ida", "Ida Brandt", **signed) == "the reply is empty"


def test_the_same_conversations_in_another_order_give_the_same_pairs() -> None:
    documents = [
        Document(str(n), "g", "train", "", {}, [
            {"speaker": ANNA, "text": f"q{n}", "date": ""},
            {"speaker": "owner", "text": f"a{n}", "date": ""},
        ])
        for n in range(5)
    ]  # fmt: skip
    assert offline(documents, Options()) == offline(documents[::-1], Options())


@pytest.mark.real_data
def test_each_of_the_real_comments_gives_its_reply() -> None:
    root = Path(os.environ.get("TUNELINE_REAL_DATA", "../shared/data"))
    path = root / "replies/YT-comments.csv"
    if not path.exists():
        pytest.skip(f"no real data at {path}: set TUNELINE_REAL_DATA")
    section = {
        **{"source": "table", "path": path, "text": "Comment", "columns": {"reply": "Response"}},
        "split": {"seed": 3},
    }
    documents = extract(ExtractionConfig.model_validate(section)).documents
    options = Options(reply_from="reply")
    made = offline(documents, options)
    found = [fields for pair in made.values() if not isinstance(pair, Refused) for fields in pair]
    assert len(found) == 59
    checked = [
        Checked(Sample(d.id, d.id, d.group_id, d.split, fields, "offline"), d)
        for d in documents
        for fields in made[d.id]  # type: ignore[union-attr]
    ]
    assert faults(checked, options) == {}
