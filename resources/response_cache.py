"""Every answer that a teacher gave, under the hash of its request: paid for once.

One row of the table `answers`:

    key         9b1c… (SHA-256 of endpoint, model, messages, sampling, schema, sample)
    model       gpt-4o-mini
    answer      {"idea": "slow backfills; partition pruning"}
    prompt_tokens 311, completion_tokens 14, cost_usd 0.000055, created 2026-03-01T08:10:00+00:00

No prompt, endpoint or secret is kept, and neither is an error or an empty answer. A team shares
one cache as JSONL: `python -m resources.response_cache export FILE`, `import FILE`.
"""

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

BUSY_SECONDS = 60.0  # how long a process waits while another one writes
COLUMNS = ("key", "model", "answer", "prompt_tokens", "completion_tokens", "cost_usd", "created")
_TABLE = """
create table if not exists answers (
    key text primary key,
    model text not null,
    answer text not null,
    prompt_tokens integer not null,
    completion_tokens integer not null,
    cost_usd real not null,
    created text not null
) without rowid
"""
_INSERT = f"insert or ignore into answers values ({', '.join('?' for _ in COLUMNS)})"


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer as it was paid for."""

    text: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float


def request_key(request: object) -> str:
    """Return SHA-256 over the canonical JSON of a request, as 64 hex digits."""
    text = json.dumps(request, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class ResponseCache:
    """A SQLite file that many processes may share; each answer is committed by itself."""

    def __init__(self, path: Path):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        # autocommit: an answer that `put` returned from outlives a kill of this process
        self._database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        self._prepare()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def get(self, key: str) -> CachedAnswer | None:
        """Return the answer under `key`, or None where it was never paid for."""
        columns = "answer, model, prompt_tokens, completion_tokens, cost_usd"
        found = self._database.execute(f"select {columns} from answers where key = ?", (key,))
        row = found.fetchone()
        return CachedAnswer(*row) if row else None

    def put(self, key: str, answer: CachedAnswer) -> CachedAnswer:
        """Keep the answer and return the one that stands: the first, where two processes paid."""
        if not answer.text:
            raise ValueError("an empty answer is never kept")
        created = datetime.now(UTC).isoformat(timespec="seconds")
        tokens = (answer.prompt_tokens, answer.completion_tokens)
        row = (key, answer.model, answer.text, *tokens, answer.cost_usd, created)
        if self._database.execute(_INSERT, row).rowcount:
            return answer
        return self.get(key) or answer

    def rows(self) -> Iterator[tuple[str | int | float, ...]]:
        """Yield all rows as `COLUMNS`, by key."""
        yield from self._database.execute(f"select {', '.join(COLUMNS)} from answers order by key")

    def add_rows(self, rows: Iterable[tuple[str | int | float, ...]]) -> int:
        """Add all rows, or none where `rows` raises; returns how many had no answer yet."""
        self._database.execute("begin immediate")
        try:
            added = sum(self._database.execute(_INSERT, row).rowcount for row in rows)
        except BaseException:
            self._database.execute("rollback")
            raise
        self._database.execute("commit")
        return added

    def _prepare(self) -> None:
        """Create the table, and turn the file to WAL mode.

        SQLite does not wait for a lock in that one statement, so two first users may collide.
        """
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                with closing(self._database.execute("pragma journal_mode = wal")):
                    break
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        self._database.execute("pragma synchronous = normal")
        self._database.execute(_TABLE)


if __name__ == "__main__":
    from resources.cache_exchange import main

    raise SystemExit(main())
