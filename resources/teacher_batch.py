"""The hosted Batch API as a way to ask: half the price, an answer within a day, none paid twice.

A batch is written down before it is created and carries the hash of its requests as metadata. A run
that died at any point is gone on from by the next: it finds the batch by its id, or by that hash
among the service's batches, and fetches the answers again for nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import dagster as dg

from resources.batch_files import Body, outcomes, parts, write_requests
from resources.batch_service import BatchService
from resources.response_cache import ResponseCache
from resources.sent_ledger import Sent, SentLedger

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types import Batch
    from openai.types.chat import ChatCompletion

MOST_REQUESTS = 50_000  # the service's limits of one file
MOST_BYTES = 200_000_000
CREATIONS = 3  # tries to create a batch; each looks first whether the one before did
FINAL = ("completed", "expired", "cancelled", "failed")

# Gets a request's hash, its body and its completion; keeps the answer, or returns why it can't.
# The body is empty for what an earlier run asked and this one does not: it is kept all the same.
Keep = Callable[[str, Body, "ChatCompletion"], str]


@dataclass
class TeacherBatches:
    """Asks many chat completions at once, and waits for them."""

    client: "AsyncOpenAI"
    cache: ResponseCache  # only looked into: `keep` writes
    ledger_path: Path  # a SQLite file that remembers what was sent; the cache's own will do
    keep: Keep
    # Gets the hashes of what was never sent before, just before it is; raises what forbids it.
    reserve: Callable[[Sequence[str]], Awaitable[None]]
    say: Callable[[str], None]
    poll_seconds: float = 30.0
    without_secrets: Callable[[Exception | str], str] = str
    most_requests: int = MOST_REQUESTS
    most_bytes: int = MOST_BYTES

    async def ask(self, requests: Mapping[str, Body]) -> dict[str, str]:
        """Send what no earlier batch holds, wait for all, and keep each answer.

        `requests` are bodies of chat completions by request hash. Returns the problems of those
        that got no answer; raises dg.Failure where the service cannot be asked at all.
        """
        service = BatchService(self.client, self.without_secrets, self.say, self.poll_seconds)
        ledger = SentLedger(self.ledger_path)
        try:
            return await _Run(self, requests, service, ledger).finish()
        finally:
            ledger.close()


@dataclass
class _Run:
    batches: TeacherBatches
    requests: Mapping[str, Body]
    service: BatchService
    ledger: SentLedger
    problems: dict[str, str] = field(default_factory=dict)
    waiting: list[Sent] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)  # progress by batch id

    async def finish(self) -> dict[str, str]:
        refused = None
        async with self.ledger.alone(self.batches.say):
            await self._resume()
            try:
                await self._submit()
            except Exception as error:
                if not self.waiting:
                    raise
                # what was sent is paid for, and its answers are not kept for ever at the service
                self.batches.say(f"{error}. No more is sent; waiting for what was")
                refused = error
        while self.waiting:
            self.waiting = [batch for batch in self.waiting if not await self._is_finished(batch)]
            if self.waiting:
                await asyncio.sleep(self.batches.poll_seconds)
        if refused is not None:
            raise refused
        return {key: self.problems[key] for key in sorted(self.problems) if key in self.requests}

    async def _resume(self) -> None:
        """Wait for the batches of earlier runs; drop what was intended and never created."""
        for batch in self.ledger.open_for(self.requests):
            known = batch if batch.service_id else await self._found(batch)
            if known is None:
                self.ledger.withdraw(batch)
            else:
                about = f"of an earlier run holds {len(batch.parts)} requests"
                self.batches.say(f"{known.service_id} {about}")
                self.waiting.append(known)

    async def _submit(self) -> None:
        """Send what no batch holds that is waited for."""
        held = {key for batch in self.waiting for key in batch.parts}
        # another process may have kept an answer since the caller looked
        kept = self.batches.cache.get
        new = [key for key in sorted(self.requests) if key not in held and kept(key) is None]
        if new:
            await self.batches.reserve(new)
        limits = self.batches.most_requests, self.batches.most_bytes
        for part in parts(self.requests, new, *limits):
            self.waiting.append(await self._created(self.ledger.intend(part)))

    async def _found(self, batch: Sent) -> Sent | None:
        found = await self.service.find(batch.tag, batch.intended, self.ledger.is_taken)
        return self.ledger.created(batch, found) if found else None

    async def _created(self, batch: Sent) -> Sent:
        input_file = ""
        for _ in range(CREATIONS):
            if found := await self._found(batch):
                return found
            if not input_file:
                with TemporaryFile() as file:
                    write_requests(self.requests, batch.parts, file)
                    input_file = await self.service.upload(file)
            if batch_id := await self.service.create(input_file, batch.tag):
                self.batches.say(f"{batch_id}: sent with {len(batch.parts)} requests")
                return self.ledger.created(batch, batch_id)
            await asyncio.sleep(self.batches.poll_seconds)
        if found := await self._found(batch):
            return found
        raise dg.Failure(
            f"no answer came to {CREATIONS} tries to create a batch of {len(batch.parts)} "
            "requests, and none is listed. Materialize again: it is looked for before another is "
            "created",
        )

    async def _is_finished(self, batch: Sent) -> bool:
        """Look at the batch, and collect its answers where there will be no more."""
        now = await self.service.look(batch.service_id)
        if now is None:
            return False
        self._tell(now)
        if now.status not in FINAL:
            return False
        unanswered = await self._collect(batch, now)
        without = f"{now.id} is {now.status}{_errors(now)} and holds no answer to it: materialize "
        self.problems |= dict.fromkeys(unanswered, without + "again to send it in another batch")
        self.ledger.taken(batch)
        return True

    def _tell(self, now: "Batch") -> None:
        counts = now.request_counts
        done = f", {counts.completed} of {counts.total} done" if counts else ""
        failed = f", {counts.failed} failed" if counts and counts.failed else ""
        progress = f"{now.id}: {now.status}{done}{failed}"
        if self.told.get(now.id) != progress:
            self.told[now.id] = progress
            self.batches.say(progress)

    async def _collect(self, batch: Sent, now: "Batch") -> list[str]:
        """Keep the answers, note the problems, and return the requests that have neither."""
        left = dict.fromkeys(batch.parts)
        for file_id in filter(None, (now.output_file_id, now.error_file_id)):
            with TemporaryFile() as lines:
                await self.service.download(file_id, lines)
                for found in outcomes(lines):
                    if found.request_hash in left:
                        del left[found.request_hash]
                        self._keep(found.request_hash, found.completion, found.problem)
        return list(left)

    def _keep(self, request_hash: str, completion: "ChatCompletion | None", problem: str) -> None:
        if completion is not None:
            body = self.requests.get(request_hash, {})
            try:
                problem = self.batches.keep(request_hash, body, completion)
            except ValueError as error:
                problem = f"unreadable: {error}"
        if problem:
            self.problems[request_hash] = problem


def _errors(batch: "Batch") -> str:
    found = (batch.errors.data if batch.errors else None) or []
    said = [": ".join(filter(None, (e.code, e.message))) for e in found[:3]]
    return f" ({'; '.join(said)})" if said else ""
