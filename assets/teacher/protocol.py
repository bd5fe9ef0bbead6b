"""What a teacher task declares, and how it asks.

A task is a module of `assets/teacher/tasks`: prompt in, parsed samples out, one worked example, and
an offline method where an honest one exists. Most tasks ask once a document:

    VERSION, SCHEMA, EXAMPLE
    class Options(assets.discovery.Options): ...                     # its keys in the YAML, if any
    def messages(document, options) -> list[Message]: ...
    def parse(document, answer, options) -> list[Fields]: ...

One that asks several times (n answers, then a judge) has a generator instead of these two:

    def stages(document, safe, options) -> Stages: ...

`safe` is the document without personal data, as `messages` gets it: prompts are made of it alone.
`parse` and the samples' fields are made of the document as it is.

What can be made without a teacher, changed once all samples are there, or found fault with:

    def offline(documents, options) -> dict[str, list[Fields] | Refused]: ...  # by document id
    def finish(checked, options) -> dict[str, Fields | Refused]: ...   # changes, by sample id
    def faults(checked, options) -> dict[str, str]: ...                # reasons, by sample id
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from assets.records import Document, Sample, content_hash

Message = dict[str, str]  # {"role": "system" | "user" | "assistant", "content": "…"}
Schema = dict[str, object]
Fields = dict[str, str]


@dataclass(frozen=True, slots=True)
class Request:
    """One question to the teacher, and how its answer is read."""

    messages: list[Message]
    schema: Schema  # JSON schema of the answer, in the subset that strict mode takes
    # What the asking task needs of the answer; ValueError with the reason to refuse it.
    parse: Callable[[dict[str, Any]], Any]
    sample_index: int = 0  # another one draws another answer to the same messages
    # A plausible answer, so that an estimate can count the requests that follow from this one.
    stand_in: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """No usable answer came, after a repair try too."""

    reason: str


# Yields the requests of a stage, gets what `parse` made of each or why it is Refused, returns the
# samples' fields; raises ValueError with the reason where the document gives none.
Stages = Generator[list[Request], list[Any], list[Fields]]


@dataclass(frozen=True, slots=True)
class Checked:
    """A sample beside the document that it was made of."""

    sample: Sample
    document: Document


@dataclass(frozen=True, slots=True)
class Example:
    """One document, the answer that a good teacher gives, and the samples' fields."""

    document: Document
    answer: dict[str, object]
    samples: list[Fields]


class Task(Protocol):
    """The names that every task's module has; see the module's first lines for the others."""

    VERSION: str  # raise it when the same answer, or the offline method, makes other fields
    SCHEMA: Schema
    EXAMPLE: Example


class Answer(Protocol):
    """What came back for one request."""

    @property
    def text(self) -> str:
        """The answer; empty where there is none."""
        ...

    @property
    def problem(self) -> str:
        """Why there is no text: a refusal, an error of the server."""
        ...

    @property
    def request_hash(self) -> str:
        """What the answer is kept under."""
        ...

    @property
    def prompt_tokens(self) -> int:
        """Tokens sent."""
        ...

    @property
    def completion_tokens(self) -> int:
        """Tokens received."""
        ...

    @property
    def cost_usd(self) -> float:
        """What they cost."""
        ...


class Teacher(Protocol):
    """One model at one endpoint with fixed sampling, and the cache of its answers.

    It retries, keeps to rate limits, and takes each attempt's cost from the budget.
    """

    def key(self, messages: list[Message], schema: Schema, sample_index: int = 0) -> str:
        """Return the hash that the answer is kept under."""
        ...

    def cached(
        self, messages: list[Message], schema: Schema, sample_index: int = 0
    ) -> Answer | None:
        """Return the answer that was paid for before, if any."""
        ...

    async def ask(self, messages: list[Message], schema: Schema, sample_index: int = 0) -> Answer:
        """Send the request and keep its answer; raises what no other request would survive."""
        ...

    async def ask_together(
        self, requests: Sequence[tuple[list[Message], Schema, int]]
    ) -> dict[str, str]:
        """Send the requests as batches and keep the answers; returns problems by request hash."""
        ...


def one_by_one(
    make: Callable[[Document], list[Fields]], documents: Sequence[Document]
) -> "dict[str, list[Fields] | Refused]":
    """Return what `make` makes of each document; its ValueError becomes the reason."""
    made: dict[str, list[Fields] | Refused] = {}
    for document in documents:
        try:
            made[document.id] = make(document)
        except ValueError as error:
            made[document.id] = Refused(str(error))
    return made


def first_messages(task: Any, options: Any) -> list[Message]:
    """Return what the task asks first about its worked example; nothing where it asks nobody."""
    if hasattr(task, "messages"):
        return task.messages(task.EXAMPLE.document, options)
    if hasattr(task, "stages"):
        example = task.EXAMPLE.document
        requests = next(task.stages(example, example, options))
        return [message for request in requests for message in request.messages]
    return []


def prompt_version(task: Any, options: Any) -> str:
    """Return the hash of all that decides what a task asks first and makes of it."""
    return content_hash([task.VERSION, task.SCHEMA, first_messages(task, options)])
