"""Texts with personal data, and the same texts with marks in their place.

    prompt      "Maria Lindholm: Hi, my parcel is late. Ring me on +44 20 7946 0958."
    completion  "[NAME]: Hi, my parcel is late. Ring me on [PHONE]."
    text        the prompt, whatever wordings are put around it
    spans       [{"start": 0, "end": 14, "label": "NAME"}, {"start": 50, "end": 66, "label": …}]

Without a teacher the documents are masked by rules, and by whom their source names: what stands in
`people` of the metadata, and the speakers. A teacher gets the texts masked by these rules, to find
what they miss; or, with `invent: true`, it invents chats about each document and masks those in a
second pass. A mask that leaves a speaker's name, or changes a word, is refused whoever made it: of
100 labels that such a second pass once gave, 100 kept the customer's name as the speaker.
"""

import json
from collections.abc import Mapping, Sequence

from pydantic import Field

from assets import discovery
from assets.records import Document
from assets.teacher.invented_chats import PersonalText, invention
from assets.teacher.mask_alignment import MARKS, spans_of
from assets.teacher.masking import PSEUDONYM, mask, problem, speakers_named
from assets.teacher.protocol import (
    Checked,
    Example,
    Fields,
    Refused,
    Request,
    Schema,
    Stages,
    one_by_one,
)
from assets.teacher.spotlight import RULE, as_data

VERSION: str = "2"
SCHEMA: Schema = {  # of the mask, which is asked for last
    "type": "object",
    "properties": {"masked": {"type": "string", "description": "the whole text with marks"}},
    "required": ["masked"],
    "additionalProperties": False,
}
_TEXT = "Maria Lindholm: Hi, my parcel is late. Ring me on +44 20 7946 0958.\nAgent: Thanks, Maria."
_MASKED = "[NAME]: Hi, my parcel is late. Ring me on [PHONE].\nAgent: Thanks, [NAME]."
_SPANS = (
    '[{"start": 0, "end": 14, "label": "NAME"}, {"start": 50, "end": 66, "label": "PHONE"}, '
    '{"start": 83, "end": 88, "label": "NAME"}]'
)
EXAMPLE = Example(
    document=Document("example", "example", "train", _TEXT, {"people": "Maria Lindholm"}),
    answer={"masked": _MASKED},
    samples=[
        {
            "prompt": _TEXT,
            "completion": _MASKED,
            "text": _TEXT,
            "spans": _SPANS,
            "people": "Maria Lindholm",
        }
    ],
)
_SHOWN = "Tom: It is Tom Weber, 12 Mill Lane, Leeds. tom@post.example!\nAgent: Thank you, Tom."
_SHOWN_MASKED = "[NAME]: It is [NAME], [ADDRESS]. [EMAIL]!\nAgent: Thank you, [NAME]."


class Options(discovery.Options):
    """What a teacher masks."""

    invent: bool = False  # true: a document is the subject of invented chats, and not masked itself
    n_per_document: int = Field(default=1, ge=1, le=32)  # invented chats; set a temperature
    # Where the people of an invented chat live: a chat draws one, so that names and numbers differ.
    countries: list[str] = Field(
        default=["the United Kingdom", "Germany", "Nigeria", "India", "Brazil", "Poland", "Spain"],
        min_length=1,
    )


def stages(document: Document, safe: Document, options: Options) -> Stages:
    """Ask for chats where they are invented, then for the masks, and return the pairs."""
    if options.invent:
        numbers = range(options.n_per_document)
        chats = yield [invention(document, safe, options.countries, number) for number in numbers]
        texts = [chat for chat in chats if not isinstance(chat, Refused)]
        if not texts:
            raise ValueError(chats[0].reason)
        shown = [chat.text for chat in texts]
    else:
        texts = [_own(document)]
        shown = [mask(safe.text, texts[0].people)]
    answers = yield [_masking(*pair) for pair in zip(texts, shown, strict=True)]
    made = [
        _fields(text, answer)
        for text, answer in zip(texts, answers, strict=True)
        if not isinstance(answer, Refused)
    ]
    if not made:
        raise ValueError(answers[0].reason)
    return made


def offline(documents: Sequence[Document], options: Options) -> dict[str, list[Fields] | Refused]:
    """Return each document masked by rules; one that holds no personal data stays as it is."""

    def masked(document: Document) -> list[Fields]:
        text = _own(document)
        made = mask(text.text, text.people)
        if wrong := problem(text.text, made, text.people):
            raise ValueError(wrong)
        return [_fields(text, made)]

    return one_by_one(masked, documents)


def faults(checked: Sequence[Checked], options: Options) -> dict[str, str]:
    """Return the masks that leave personal data, change other words, or mask nothing."""
    found = {c.sample.id: _fault(c.sample.fields, c.document) for c in checked}
    return {id: reason for id, reason in found.items() if reason}


def _fault(fields: Fields, document: Document) -> str:
    text = fields.get("text", document.text)
    named = fields.get("people", "").split("\n")
    own = _people(document) if text == document.text else []
    people = sorted({*filter(None, named), *own})
    values = [value for value in fields.get("values", "").split("\n") if value]
    return problem(text, fields["completion"], people, values)


def _own(document: Document) -> PersonalText:
    if PSEUDONYM.search(document.text):
        raise ValueError(
            "the text holds pseudonyms where personal data was, so there is nothing to learn "
            "to mask: set `redact: []` in the extraction of this pipeline"
        )
    return PersonalText(document.text, _people(document), [])


def _people(document: Document) -> list[str]:
    named = document.metadata.get("people", "").split("\n")
    return speakers_named([*named, *(turn["speaker"] for turn in document.turns)])


def _fields(text: PersonalText, masked: str) -> Fields:
    spans = json.dumps(spans_of(text.text, masked))
    fields = {"prompt": text.text, "completion": masked, "text": text.text, "spans": spans}
    if text.people:
        fields["people"] = "\n".join(text.people)
    if text.values:
        fields["values"] = "\n".join(text.values)
    return fields


def _masking(text: PersonalText, shown: str) -> Request:
    """Return the request for a mask; `shown` is what of the text may leave the machine."""
    system = (
        "You hide personal data. Return the text as it is, word by word and line by line, and put "
        "a mark in the place of each piece of personal data: "
        f"{', '.join(f'[{name}]' for name in MARKS)}. A person's name is hidden wherever it "
        "stands: first or last name alone, and as the speaker at the start of a line. What a "
        "person does for a living (Agent) is no name. Marks that are there already stay. "
        f"{RULE}"
    )
    return Request(
        messages=[
            {"role": "system", "content": system},
            {"role": "user", "content": as_data("text", _SHOWN)},
            {"role": "assistant", "content": json.dumps({"masked": _SHOWN_MASKED})},
            {"role": "user", "content": as_data("text", shown)},
        ],
        schema=SCHEMA,
        parse=lambda answer: _mask_of(answer, text),
        stand_in={"masked": shown},
    )


def _mask_of(answer: Mapping[str, object], text: PersonalText) -> str:
    masked = answer.get("masked")
    if not isinstance(masked, str) or not masked.strip():
        raise ValueError(f"the answer has no text under 'masked' but {masked!r}")
    if wrong := problem(text.text, masked, text.people, text.values):
        raise ValueError(f"the mask is wrong: {wrong}")
    return masked.strip()
