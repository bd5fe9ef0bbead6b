from pathlib import Path

import pytest

from resources import pipes_messages
from resources.pipes_messages import whole_lines


def test_half_a_line_waits_for_its_other_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "messages"
    path.write_bytes('{"message": "grü'.encode()[:-1])
    later = iter(['ü done"}\n{}\n'.encode()[1:], b'{"last": 1}\nhalf'])

    def written_meanwhile(seconds: float) -> None:
        with path.open("ab") as file:
            file.write(next(later))

    monkeypatch.setattr(pipes_messages.time, "sleep", written_meanwhile)
    looks = iter([False, False, True])
    found = list(whole_lines(path, lambda: next(looks)))
    assert found == ['{"message": "grü done"}'.encode(), b"{}", b'{"last": 1}']
