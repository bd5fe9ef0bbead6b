import os

import psutil
import pytest

from assets import processes


def test_alone_a_process_is_the_first_of_one_and_waits_for_nobody() -> None:
    assert (processes.count(), processes.is_first()) == (1, True)
    processes.join()
    processes.wait_for_all()
    assert processes.ancestors() == [os.getppid()]


def test_the_second_of_two_is_not_the_first_and_follows_its_launcher_and_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    assert (processes.count(), processes.is_first()) == (2, False)
    assert processes.ancestors() == [p.pid for p in psutil.Process().parents()[:2]]
