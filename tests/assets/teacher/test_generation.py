"""How documents become samples: passed through as they are, or with metadata that they carry."""

import pytest

from assets.records import Document
from assets.teacher.config import TeacherConfig
from assets.teacher.production import Desk, Production, produce


def ticket(number: int, **metadata: str) -> Document:
    return Document(f"d{number}", f"g{number}", "train", f"Where is invoice {number}?", metadata)


def no_desk() -> Desk:
    raise AssertionError("no teacher is to be asked")


def made(documents: list[Document], **section: object) -> Production:
    return produce(TeacherConfig.model_validate(section), documents, no_desk, "", print)


def fields(documents: list[Document], **section: object) -> list[dict[str, str]]:
    return [sample.fields for sample in made(documents, **section).generation.samples]


def test_a_document_without_labels_passes_as_text_and_one_with_labels_as_body() -> None:
    assert fields([ticket(1, date="2026")]) == [{"date": "2026", "text": "Where is invoice 1?"}]
    assert fields([ticket(1, label="billing"), ticket(2)]) == [
        {"label": "billing", "body": "Where is invoice 1?"},
        {"body": "Where is invoice 2?"},
    ]


def test_a_sample_carries_the_metadata_that_a_method_routes_by() -> None:
    documents = [ticket(1, answer="Here it is.", queue="billing", date="2026")]
    section = {"task": "reply_pairs", "reply_from": "answer"}
    pair = {"prompt": "Where is invoice 1?", "completion": "Here it is."}
    assert fields(documents, **section) == [pair]
    assert fields(documents, **section, carry=["queue"]) == [pair | {"queue": "billing"}]
    worded = {"wordings": ["{queue}: {prompt}"], "system_prompts": ["It is {date}."]}
    [found] = fields(documents, **section, **worded, carry=["queue"])
    assert (found["prompt"], found["queue"]) == ("billing: Where is invoice 1?", "billing")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("desk", "carry: no 'desk' in the metadata of d1; there are: answer, prompt. Name its col"),
        ("prompt", "carry: the samples have a field 'prompt' of the task's own; give the column"),
    ],
)
def test_what_cannot_be_carried_is_refused(name: str, message: str) -> None:
    documents = [ticket(1, answer="Here it is.", prompt="x")]
    with pytest.raises(ValueError, match=message):
        made(documents, task="reply_pairs", reply_from="answer", carry=[name])
