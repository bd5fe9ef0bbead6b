"""Documents in, samples out: passed through, made offline, or asked of a teacher."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from assets.records import Document, Record, Sample, content_hash
from assets.teacher.budget import Budget, estimate_usd
from assets.teacher.protocol import Answer, Message, Task, Teacher

PASSED_THROUGH = "passed_through"
OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class FailedDocument(Record):
    """A document of which no sample could be made, with the reason."""

    document_id: str
    reason: str


@dataclass
class Generation:
    """What came out, and what this run took: a cached answer is free."""

    samples: list[Sample] = field(default_factory=list)
    failed: list[FailedDocument] = field(default_factory=list)
    new: int = 0  # requests sent, repairs included
    cached: int = 0  # requests answered by the cache
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0  # a request that was lost on the way counts with its worst case
    estimated_cost_usd: float = 0.0


def pass_through(documents: Sequence[Document]) -> Generation:
    """Return every document as a sample: `body` and its metadata."""
    return Generation(
        [_sample(d, "", {**d.metadata, "body": d.text}, PASSED_THROUGH) for d in documents]
    )


def make_offline(name: str, task: Task, documents: Sequence[Document]) -> Generation:
    """Return what the task's own method makes of each document alone."""
    made = Generation()
    for document in documents:
        try:
            made.samples.append(_sample(document, name, task.offline(document), OFFLINE))
        except ValueError as error:
            made.failed.append(FailedDocument(document.id, str(error)))
    return made


def _sample(
    document: Document,
    task: str,
    fields: dict[str, str],
    method: str,
    answers: Sequence[Answer] = (),
) -> Sample:
    return Sample(
        id=content_hash([document.id, task, 0]),
        document_id=document.id,
        group_id=document.group_id,
        split=document.split,
        fields=fields,
        method=method,
        request_hash=answers[-1].request_hash if answers else "",
        cost_usd=sum(answer.cost_usd for answer in answers),
    )


@dataclass
class TeacherRun:
    """Asks a teacher about many documents: cache first, then at most `max_concurrency` at once."""

    name: str
    task: Task
    model: str
    teacher: Teacher
    budget: Budget
    max_concurrency: int
    made: Generation = field(default_factory=Generation)
    stopped_by: Exception | None = None

    def estimate(self, documents: Sequence[Document]) -> None:
        """Note what the cache misses may cost; raises OverBudget, before anything is sent."""
        misses = [
            self._billed(messages)
            for messages in map(self.task.messages, documents)
            if self.teacher.cached(messages, self.task.SCHEMA) is None
        ]
        price, max_output_tokens = self.budget.price, self.budget.max_output_tokens
        self.made.estimated_cost_usd = estimate_usd(misses, price, max_output_tokens)
        self.budget.require(self.made.estimated_cost_usd, len(misses))

    async def run(self, documents: Sequence[Document]) -> Generation:
        """Return all samples; raises what stopped the run once the answers in flight are kept."""
        queue = iter(documents)
        await asyncio.gather(*(self._work(queue) for _ in range(self.max_concurrency)))
        self.made.cost_usd = self.budget.spent_usd
        if self.stopped_by is not None:
            raise self.stopped_by
        self.made.failed.sort(key=lambda row: row.document_id)
        return self.made

    async def _work(self, queue: Iterator[Document]) -> None:
        for document in queue:
            if self.stopped_by is not None:
                return
            try:
                self.made.samples.append(await self._sample_of(document))
            except ValueError as error:
                self.made.failed.append(FailedDocument(document.id, str(error)))
            except Exception as error:
                # cancelling the other workers would lose answers that are paid for
                self.stopped_by = self.stopped_by or error

    async def _sample_of(self, document: Document) -> Sample:
        """Ask, and once more with the reason where the answer is refused."""
        messages = self.task.messages(document)
        first = await self._answer(messages)
        try:
            fields = _parsed(self.task.parse, document, first)
            return _sample(document, self.name, fields, self.model, [first])
        except ValueError as reason:
            second = await self._answer(_repair(messages, first, reason))
        fields = _parsed(self.task.parse, document, second)
        return _sample(document, self.name, fields, self.model, [first, second])

    async def _answer(self, messages: list[Message]) -> Answer:
        """Return the kept answer, or ask within the budget; ValueError where none comes."""
        if (kept := self.teacher.cached(messages, self.task.SCHEMA)) is not None:
            self.made.cached += 1
            return kept
        reserved = await self.budget.reserve(self._billed(messages))
        cost_usd = reserved
        try:
            self.made.new += 1
            answer = await self.teacher.ask(messages, self.task.SCHEMA)
            cost_usd = reserved if answer.lost else answer.cost_usd
        finally:
            await self.budget.settle(reserved, cost_usd)
        self.made.prompt_tokens += answer.prompt_tokens
        self.made.completion_tokens += answer.completion_tokens
        if answer.problem:
            raise ValueError(answer.problem)
        return answer

    def _billed(self, messages: list[Message]) -> list[Message]:
        """The schema is billed as part of the prompt."""
        return [*messages, {"role": "system", "content": json.dumps(self.task.SCHEMA)}]


def _parsed(
    parse: Callable[[Document, dict[str, object]], dict[str, str]],
    document: Document,
    answer: Answer,
) -> dict[str, str]:
    try:
        content = json.loads(answer.text)
    except json.JSONDecodeError as error:
        raise ValueError(f"the answer is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise ValueError(f"the answer is a JSON {type(content).__name__}, not an object")
    return parse(document, content)


def _repair(messages: list[Message], refused: Answer, reason: ValueError) -> list[Message]:
    return [
        *messages,
        {"role": "assistant", "content": refused.text},
        {"role": "user", "content": f"That was refused: {reason}. Answer again, by the rules."},
    ]
