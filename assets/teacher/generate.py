"""Asks a teacher about many documents: the cache first, then as much at once as is allowed."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from assets.records import Document
from assets.teacher.dialogue import Dialogue, Query, dialogue
from assets.teacher.generation import FailedDocument, Generation, SentRequest, samples_of
from assets.teacher.privacy import Personal, without_personal_data
from assets.teacher.protocol import Answer, Fields, Teacher, first_messages

PROGRESS_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Stands where no answer came, or none was asked for."""

    problem: str = ""
    text: str = ""
    request_hash: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0


@dataclass
class Talk:
    """The dialogue about one document, and what was said in it."""

    document: Document
    dialogue: Dialogue
    personal: Personal  # what must not be in a request
    answers: list[Answer] = field(default_factory=list)


@dataclass
class TeacherRun:
    """One materialization's questions to one teacher."""

    name: str
    task: Any  # a module of assets/teacher/tasks
    options: Any
    model: str
    teacher: Teacher
    max_concurrency: int
    pseudonym_key: str = ""
    say: Callable[[str], None] = lambda text: None
    made: Generation = field(default_factory=Generation)
    stopped_by: Exception | None = None
    _problems: dict[str, str] = field(default_factory=dict)  # by request hash, of batches
    _in_flight: dict[str, asyncio.Future[Answer]] = field(default_factory=dict)
    _done: int = 0

    def missing(self, documents: Iterable[Document]) -> Iterator[Query]:
        """Yield each request that the cache cannot answer, before anything is sent.

        Where a later question depends on an answer that is not there yet, the task's stand-in takes
        its place: so an estimate counts the judge of answers that nobody gave yet.
        """
        seen: set[str] = set()
        for document in documents:
            for query in self._unanswered(document, follow=True):
                if (key := self._key(query)) not in seen:
                    seen.add(key)
                    yield query

    async def run(self, documents: Sequence[Document]) -> Generation:
        """Return all samples; raises what stopped the run once the answers in flight are kept."""
        queue, began = iter(documents), time.monotonic()
        progress = asyncio.create_task(self._tell(len(documents), began))
        try:
            workers = min(self.max_concurrency, max(1, len(documents)))
            await asyncio.gather(*(self._work(queue) for _ in range(workers)))
        finally:
            progress.cancel()
        self.say(self._progress(len(documents), began))
        if self.stopped_by is not None:
            raise self.stopped_by
        return self.made

    async def run_in_batches(self, documents: Sequence[Document]) -> Generation:
        """Send what can be asked at once as one batch, until nothing is left to ask."""
        while wave := self._wave(documents):
            self.say(f"{len(wave)} requests go to the Batch API")
            self.made.new += len(wave)
            queries = [(q.messages, q.schema, q.sample_index) for q in wave.values()]
            problems = await self.teacher.ask_together(queries)
            answers = {key: self._cached(query) for key, query in wave.items()}
            for key, answer in answers.items():
                if answer is None:
                    self._problems[key] = problems.get(key, "the batch holds no answer")
                else:
                    self._count(answer)
                    self.made.cached -= 1  # `run` takes it from the cache, where it is new
        return await self.run(documents)

    def _wave(self, documents: Iterable[Document]) -> dict[str, Query]:
        queries = (q for d in documents for q in self._unanswered(d, follow=False))
        return {self._key(query): query for query in queries}

    def _talk(self, document: Document) -> Talk:
        safe = without_personal_data(document, self.pseudonym_key)
        talk = dialogue(self.task, document, safe, self.options)
        return Talk(document, talk, Personal.of(document))

    @cached_property
    def _fixed(self) -> frozenset[str]:
        """What the task says about every document: its rules and its worked example."""
        return frozenset(m["content"] for m in first_messages(self.task, self.options))

    def _unanswered(self, document: Document, follow: bool) -> Iterator[Query]:
        """Yield the queries of one document that nothing known answers; `follow`: to its end."""
        talk = self._talk(document)
        stood_in = False
        try:
            queries = next(talk.dialogue)
            while True:
                answers: list[Answer] = []
                for query in queries:
                    answer = self._known(query, talk)
                    if answer is None and not (stood_in and query.repair):
                        yield query
                    answers.append(answer or NoAnswer(text=query.stand_in))
                stood_in = stood_in or any(not a.request_hash and not a.problem for a in answers)
                if stood_in and not follow:
                    return
                queries = talk.dialogue.send(answers)
        except (StopIteration, ValueError):
            return

    def _known(self, query: Query, talk: Talk) -> Answer | None:
        """Return the cached answer, why there can be none, or None where it must be asked."""
        if kind := talk.personal.leaked(query.messages, self._fixed):
            return NoAnswer(f"withheld: the request would have held a person's {kind}")
        if self._problems and (problem := self._problems.get(self._key(query))):
            return NoAnswer(problem)
        return self._cached(query)

    def _cached(self, query: Query) -> Answer | None:
        return self.teacher.cached(query.messages, query.schema, query.sample_index)

    def _key(self, query: Query) -> str:
        return self.teacher.key(query.messages, query.schema, query.sample_index)

    async def _work(self, queue: Iterator[Document]) -> None:
        for document in queue:
            if self.stopped_by is not None:
                return
            try:
                self.made.samples += await self._samples_of(document)
            except ValueError as error:
                self.made.failed.append(FailedDocument(document.id, str(error)))
            except Exception as error:
                # cancelling the other workers would lose answers that are paid for
                self.stopped_by = self.stopped_by or error
            self._done += 1

    async def _samples_of(self, document: Document) -> list[Any]:
        talk = self._talk(document)
        fields = await self._converse(talk)
        return samples_of(document, self.name, fields, self.model, talk.answers)

    async def _converse(self, talk: Talk) -> list[Fields]:
        try:
            queries = next(talk.dialogue)
            while True:
                answers = await asyncio.gather(*(self._answer(q, talk) for q in queries))
                talk.answers += [answer for answer in answers if answer.request_hash]
                queries = talk.dialogue.send(answers)
        except StopIteration as end:
            return end.value

    async def _answer(self, query: Query, talk: Talk) -> Answer:
        answer = self._known(query, talk)
        if answer is None:
            answer = await self._ask_once(query)
        elif answer.problem:
            self.made.withheld += answer.problem.startswith("withheld")
            return answer
        else:
            self.made.cached += 1
        sent = SentRequest(self._key(query), talk.document.id, query.messages)
        self.made.requests.append(sent)
        return answer

    async def _ask_once(self, query: Query) -> Answer:
        """Two documents may ask the same thing at the same time: the second waits for the first."""
        key = self._key(query)
        if (other := self._in_flight.get(key)) is not None:
            return await asyncio.shield(other)
        asked = asyncio.ensure_future(
            self.teacher.ask(query.messages, query.schema, query.sample_index)
        )
        self._in_flight[key] = asked
        self.made.new += 1
        try:
            answer = await asked
        finally:
            del self._in_flight[key]
        self._count(answer)
        return answer

    def _count(self, answer: Answer) -> None:
        self.made.prompt_tokens += answer.prompt_tokens
        self.made.completion_tokens += answer.completion_tokens

    async def _tell(self, documents: int, began: float) -> None:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            self.say(self._progress(documents, began))

    def _progress(self, documents: int, began: float) -> str:
        rate = self.made.new / max(1e-9, time.monotonic() - began)
        return (
            f"{self._done:,} of {documents:,} documents; {self.made.cached:,} answers from the "
            f"cache, {self.made.new:,} asked ({rate:.1f} a second)"
        )
