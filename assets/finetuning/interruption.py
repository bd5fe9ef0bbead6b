"""SIGTERM while a model trains: what was learnt is saved first, then the job ends."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """Whether this process has been asked to end."""

    def __init__(self) -> None:
        self.asked = False

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True


@contextmanager
def heeding_sigterm() -> Iterator[StopRequest]:
    """Yield the request that SIGTERM makes inside the block, where it ends nothing by itself."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request  # only the main thread may listen: here SIGTERM ends the process at once
        return
    before = signal.signal(signal.SIGTERM, request._ask)
    try:
        yield request
    finally:
        signal.signal(signal.SIGTERM, before)
