"""Reads what a job says while it runs, by whole lines.

Dagster's own reader takes half a line for a message when it looks while the job is writing, which
a busy machine makes likely; its thread then dies, and the rest of the log is lost.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

from dagster import PipesMessageReader
from dagster._core.pipes.context import PipesMessageHandler
from dagster_pipes import PipesDefaultMessageWriter, PipesParams

LOOK_EVERY_SECONDS = 0.2


class WholeLineMessageReader(PipesMessageReader):
    """Tails a temporary file that the job writes one JSON message a line to."""

    @contextmanager
    def read_messages(self, handler: PipesMessageHandler) -> Iterator[PipesParams]:
        """Read in a thread until the block ends, and then what is still there."""
        ended = Event()
        with TemporaryDirectory() as folder:
            path = Path(folder) / "messages"
            path.touch()
            thread = Thread(target=_read, args=(path, handler, ended), daemon=True)
            thread.start()
            try:
                yield {PipesDefaultMessageWriter.FILE_PATH_KEY: str(path)}
            finally:
                ended.set()
                thread.join()

    def no_messages_debug_text(self) -> str:
        """Return what Dagster says where no message came."""
        return "Attempted to read messages from a local temporary file."


def _read(path: Path, handler: PipesMessageHandler, ended: Event) -> None:
    try:
        for line in whole_lines(path, ended.is_set):
            handler.handle_message(json.loads(line))
    except Exception:
        handler.report_pipes_framework_exception("reading what a job says", sys.exc_info())


def whole_lines(path: Path, ended: Callable[[], bool]) -> Iterator[bytes]:
    """Yield each line of a growing file once it is whole, until `ended` and all is read."""
    rest = b""
    with path.open("rb") as file:
        while True:
            last = ended()  # asked before the file is read: what was written until then is there
            *lines, rest = (rest + file.read()).split(b"\n")
            yield from filter(None, lines)
            if last:
                return
            time.sleep(LOOK_EVERY_SECONDS)
