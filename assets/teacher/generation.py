"""What came out of the teacher room, and how fields become samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from assets.records import Document, Record, Sample, content_hash
from assets.teacher.protocol import Answer, Checked, Fields, Message, Refused
from assets.teacher.wordings import worded

PASSED_THROUGH = "passed_through"
OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class FailedDocument(Record):
    """A document, or one sample of it, that came to nothing, with the reason."""

    document_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class SentRequest(Record):
    """What the teacher read, as it left the machine or, answered by the cache, left it before."""

    request_hash: str
    document_id: str
    messages: list[Message]


@dataclass
class Generation:
    """What came out, and what this run took: a cached answer is free."""

    samples: list[Sample] = field(default_factory=list)
    failed: list[FailedDocument] = field(default_factory=list)
    requests: list[SentRequest] = field(default_factory=list)
    new: int = 0  # requests sent, repairs included
    cached: int = 0  # requests answered by the cache
    withheld: int = 0  # requests never sent: they would have held personal data
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def agreement_with_people(self) -> dict[str, float]:
        """Return how often the label is the one that a person gave, where people gave some."""
        pairs = [
            (s.fields["label"], gold) for s in self.samples if (gold := s.fields.get("gold_label"))
        ]
        if not pairs:
            return {}
        same = sum(label == gold for label, gold in pairs)
        return {"labelled_by_people": len(pairs), "agreement_with_people": same / len(pairs)}


def samples_of(
    document: Document,
    task: str,
    made: Sequence[Fields],
    method: str,
    answers: Sequence[Answer] = (),
) -> list[Sample]:
    """Return a sample for each of the fields; they share what the answers cost."""
    cost_usd = sum(answer.cost_usd for answer in answers) / max(1, len(made))
    return [
        Sample(
            id=content_hash([document.id, task, number]),
            document_id=document.id,
            group_id=document.group_id,
            split=document.split,
            fields=fields,
            method=method,
            request_hash=answers[-1].request_hash if answers else "",
            cost_usd=cost_usd,
        )
        for number, fields in enumerate(made)
    ]


def pass_through(documents: Sequence[Document]) -> Generation:
    """Return every document as a sample: its metadata, and `text`, or `body` where it has a label.

    One label is enough for all to be labelled texts: the others then lack theirs.
    """
    name = "body" if any("label" in d.metadata for d in documents) else "text"
    return Generation(
        [
            sample
            for d in documents
            for sample in samples_of(d, "", [{**d.metadata, name: d.text}], PASSED_THROUGH)
        ]
    )


def make_offline(name: str, task: Any, options: Any, documents: Sequence[Document]) -> Generation:
    """Return what the task's own method makes of the documents, without a teacher."""
    made = Generation()
    outcomes: Mapping[str, list[Fields] | Refused] = task.offline(documents, options)
    for document in documents:
        outcome = outcomes[document.id]
        if isinstance(outcome, Refused):
            made.failed.append(FailedDocument(document.id, outcome.reason))
        else:
            made.samples += samples_of(document, name, outcome, OFFLINE)
    return made


def finish(made: Generation, task: Any, options: Any, documents: Mapping[str, Document]) -> None:
    """Let the task look at all samples together, where it wants to: negatives, novelty."""
    made.samples.sort(key=lambda sample: sample.id)
    if hasattr(task, "finish"):
        changes: Mapping[str, Fields | Refused] = task.finish(checked(made, documents), options)
        kept: list[Sample] = []
        for sample in made.samples:
            change = changes.get(sample.id, sample.fields)
            if isinstance(change, Refused):
                made.failed.append(FailedDocument(sample.document_id, change.reason))
            else:
                kept.append(replace(sample, fields=change))
        made.samples = kept
    made.failed.sort(key=lambda row: (row.document_id, row.reason))
    made.requests.sort(key=lambda row: (row.document_id, row.request_hash))


def word(
    made: Generation,
    documents: Mapping[str, Document],
    wordings: Sequence[str],
    system_prompts: Sequence[str],
) -> None:
    """Put each sample's prompt into one of the wordings; raises ValueError for an unknown field."""
    made.samples = [
        replace(s, fields=worded(s.fields, about, s.id, wordings, system_prompts))
        for s in made.samples
        for about in [documents[s.document_id].metadata]
    ]


def require_metadata(documents: Sequence[Document], names: Sequence[str]) -> None:
    """Raise ValueError where a document lacks one of the metadata that its samples shall carry."""
    for document in documents:
        if missing := [name for name in names if name not in document.metadata]:
            there = ", ".join(sorted(document.metadata)) or "none"
            raise ValueError(
                f"carry: no {missing[0]!r} in the metadata of {document.id}; there are: {there}. "
                "Name its column under extraction.columns"
            )


def carry(made: Generation, documents: Mapping[str, Document], names: Sequence[str]) -> None:
    """Give each sample these metadata of its document; raises ValueError for a field it has."""
    for sample in made.samples:
        if taken := [name for name in names if name in sample.fields]:
            raise ValueError(
                f"carry: the samples have a field {taken[0]!r} of the task's own; give the column "
                "another name under extraction.columns"
            )
    made.samples = [
        replace(s, fields=s.fields | {name: about[name] for name in names})
        for s in made.samples
        for about in [documents[s.document_id].metadata]
    ]


def checked(made: Generation, documents: Mapping[str, Document]) -> list[Checked]:
    """Return the samples beside their documents."""
    return [Checked(sample, documents[sample.document_id]) for sample in made.samples]
