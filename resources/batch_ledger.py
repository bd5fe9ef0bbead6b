"""Which requests went off in which batch, written down before the batch is created.

One row of the table `batches`, and one of `batch_requests`, while its answers are not all kept:

    number 3, request_set 77b0… (SHA-256 of the requests' hashes), intended 1772352610.2,
    batch_id batch_67f… (null: intended, and perhaps created), collected 0
    batch 3, request_hash 9b1c…
"""

import asyncio
import fcntl
import hashlib
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

BUSY_SECONDS = 60.0  # how long a process waits while another one writes
_TABLES = """
create table if not exists batches (
    number integer primary key,
    request_set text not null,
    intended real not null,
    batch_id text,
    collected integer not null default 0
);
create table if not exists batch_requests (
    batch integer not null,
    request_hash text not null,
    primary key (batch, request_hash)
) without rowid;
"""


@dataclass(frozen=True, slots=True)
class SentBatch:
    """A batch whose answers are not all kept yet."""

    number: int
    request_set: str  # the tag that finds it among the service's batches
    intended: float  # seconds since 1970
    batch_id: str  # empty: whether it was created is not known
    requests: Sequence[str]  # their hashes


class BatchLedger:
    """Two tables of a SQLite file, which may be the one of the answers."""

    def __init__(self, path: Path):
        self._lock_path = path.with_name(f"{path.name}.batches.lock")
        self._database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        # an intent must outlive a power cut too
        self._database.execute("pragma synchronous = full")
        self._database.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @asynccontextmanager
    async def alone(self, say: Callable[[str], None]) -> AsyncIterator[None]:
        """Let one process at a time submit: what it finds half done, a dead one left."""
        with self._lock_path.open("w") as file:
            told = False
            while not _locked(file.fileno()):
                if not told:
                    say("another process is submitting a batch: waiting for it")
                told = True
                await asyncio.sleep(0.2)
            yield

    def open_batches(self, requests: Collection[str]) -> list[SentBatch]:
        """Return the batches that hold any of these requests, and are not collected."""
        rows = self._database.execute(
            "select number, request_set, intended, coalesce(batch_id, '') from batches "
            "where not collected order by number"
        )
        wanted = set(requests)
        batches = [
            SentBatch(number, request_set, intended, batch_id, self._requests_of(number))
            for number, request_set, intended, batch_id in rows.fetchall()
        ]
        return [batch for batch in batches if not wanted.isdisjoint(batch.requests)]

    def _requests_of(self, number: int) -> list[str]:
        select = "select request_hash from batch_requests where batch = ? order by request_hash"
        return [found for (found,) in self._database.execute(select, (number,))]

    def intend(self, requests: Sequence[str]) -> SentBatch:
        """Write down that a batch of these requests is about to be created."""
        request_set = hashlib.sha256("\n".join(sorted(requests)).encode()).hexdigest()
        intended = time.time()
        with self._database:
            self._database.execute("begin immediate")
            inserted = self._database.execute(
                "insert into batches (request_set, intended) values (?, ?) returning number",
                (request_set, intended),
            )
            number = int(inserted.fetchone()[0])
            self._database.executemany(
                "insert into batch_requests values (?, ?)", ((number, r) for r in requests)
            )
        return SentBatch(number, request_set, intended, "", tuple(requests))

    def created(self, batch: SentBatch, batch_id: str) -> SentBatch:
        """Write down under which id the service knows the batch."""
        self._database.execute(
            "update batches set batch_id = ? where number = ?", (batch_id, batch.number)
        )
        return replace(batch, batch_id=batch_id)

    def withdraw(self, batch: SentBatch) -> None:
        """Forget a batch that was certainly not created."""
        with self._database:
            self._database.execute("begin immediate")
            self._database.execute("delete from batch_requests where batch = ?", (batch.number,))
            self._database.execute("delete from batches where number = ?", (batch.number,))

    def collected(self, batch: SentBatch) -> None:
        """Write down that every answer of the batch is kept; its id stays, its requests go."""
        with self._database:
            self._database.execute("begin immediate")
            self._database.execute("delete from batch_requests where batch = ?", (batch.number,))
            self._database.execute(
                "update batches set collected = 1 where number = ?", (batch.number,)
            )

    def is_collected(self, batch_id: str) -> bool:
        """Return whether the answers of this batch were all kept before."""
        select = "select 1 from batches where batch_id = ? and collected"
        return self._database.execute(select, (batch_id,)).fetchone() is not None


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
