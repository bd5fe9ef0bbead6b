"""What a service that bills is asked to create, written down before it is asked.

One row of the table `sent`, and one of `sent_parts`, while its results are not all taken:

    number 3, tag 77b0… (SHA-256 of its parts), intended 1772352610.2,
    service_id batch_67f… (null: intended, and perhaps created), taken 0
    sent 3, part 9b1c… (the hash of a request; of a tuning job, its one part)
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
create table if not exists sent (
    number integer primary key,
    tag text not null,
    intended real not null,
    service_id text,
    taken integer not null default 0
);
create table if not exists sent_parts (
    sent integer not null,
    part text not null,
    primary key (sent, part)
) without rowid;
"""


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch or a job whose results are not all taken yet."""

    number: int
    tag: str  # finds it among the service's
    intended: float  # seconds since 1970
    service_id: str  # empty: whether it was created is not known
    parts: Sequence[str]


def tag_of(parts: Collection[str]) -> str:
    """Return the tag of what these parts make, 64 hex digits."""
    return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()


class SentLedger:
    """Two tables of a SQLite file, which may be one that holds more."""

    def __init__(self, path: Path):
        self._lock_path = path.with_name(f"{path.name}.sent.lock")
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
                    say("another process is submitting: waiting for it")
                told = True
                await asyncio.sleep(0.2)
            yield

    def open_for(self, parts: Collection[str]) -> list[Sent]:
        """Return what holds any of these parts, and is not taken."""
        rows = self._database.execute(
            "select number, tag, intended, coalesce(service_id, '') from sent "
            "where not taken order by number"
        )
        wanted = set(parts)
        found = [
            Sent(number, tag, intended, service_id, self._parts_of(number))
            for number, tag, intended, service_id in rows.fetchall()
        ]
        return [sent for sent in found if not wanted.isdisjoint(sent.parts)]

    def _parts_of(self, number: int) -> list[str]:
        select = "select part from sent_parts where sent = ? order by part"
        return [found for (found,) in self._database.execute(select, (number,))]

    def intend(self, parts: Sequence[str]) -> Sent:
        """Write down that something of these parts is about to be created."""
        tag, intended = tag_of(parts), time.time()
        with self._database:
            self._database.execute("begin immediate")
            inserted = self._database.execute(
                "insert into sent (tag, intended) values (?, ?) returning number", (tag, intended)
            )
            number = int(inserted.fetchone()[0])
            self._database.executemany(
                "insert into sent_parts values (?, ?)", ((number, part) for part in parts)
            )
        return Sent(number, tag, intended, "", tuple(parts))

    def created(self, sent: Sent, service_id: str) -> Sent:
        """Write down under which id the service knows it."""
        self._database.execute(
            "update sent set service_id = ? where number = ?", (service_id, sent.number)
        )
        return replace(sent, service_id=service_id)

    def withdraw(self, sent: Sent) -> None:
        """Forget what was certainly not created."""
        with self._database:
            self._database.execute("begin immediate")
            self._database.execute("delete from sent_parts where sent = ?", (sent.number,))
            self._database.execute("delete from sent where number = ?", (sent.number,))

    def taken(self, sent: Sent) -> None:
        """Write down that there is no more to take from it; its id stays, its parts go."""
        with self._database:
            self._database.execute("begin immediate")
            self._database.execute("delete from sent_parts where sent = ?", (sent.number,))
            self._database.execute("update sent set taken = 1 where number = ?", (sent.number,))

    def is_taken(self, service_id: str) -> bool:
        """Return whether there is no more to take from it."""
        select = "select 1 from sent where service_id = ? and taken"
        return self._database.execute(select, (service_id,)).fetchone() is not None


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
