"""What a teacher task declares, and what a teacher answers with.

A task is a module of `assets/teacher/tasks`: a prompt in, a parsed sample out, one worked example.
"""

from dataclasses import dataclass
from typing import Protocol

from assets.records import Document, content_hash

Message = dict[str, str]  # {"role": "system" | "user" | "assistant", "content": "…"}
Schema = dict[str, object]


@dataclass(frozen=True, slots=True)
class Example:
    """One document, the answer that a good teacher gives, and the sample's fields."""

    document: Document
    answer: dict[str, object]
    fields: dict[str, str]


class Task(Protocol):
    """The names that a task's module must have."""

    VERSION: str  # raise it when the same answer, or the offline method, makes other fields
    SCHEMA: Schema  # JSON schema of an answer, in the subset that strict mode takes
    EXAMPLE: Example

    def messages(self, document: Document) -> list[Message]:
        """Return the prompt for one document."""
        ...

    def parse(self, document: Document, answer: dict[str, object]) -> dict[str, str]:
        """Return the sample's fields; raises ValueError with the reason to refuse the answer."""
        ...

    def offline(self, document: Document) -> dict[str, str]:
        """Return the fields without a teacher; raises ValueError where there is nothing to say."""
        ...


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
    def lost(self) -> bool:
        """Whether nothing arrived although the server may have worked, and billed."""
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
    """One model at one endpoint with fixed sampling, and the cache of its answers."""

    def cached(self, messages: list[Message], schema: Schema) -> Answer | None:
        """Return the answer that was paid for before, if any."""
        ...

    async def ask(self, messages: list[Message], schema: Schema) -> Answer:
        """Send the request and keep its answer; raises what no other request would survive."""
        ...


def prompt_version(task: Task) -> str:
    """Return the hash of all that decides what a task asks and makes."""
    return content_hash([task.VERSION, task.SCHEMA, task.messages(task.EXAMPLE.document)])
