"""What a user reads when a job fails, without the code that it failed in."""

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from assets.failures import plain_message
from assets.models import parse_base_model


def raised(by, *arguments: object) -> BaseException:
    with pytest.raises(Exception) as caught:
        by(*arguments)
    return caught.value


def test_a_mistake_of_the_user_is_its_message_alone(tmp_path: Path) -> None:
    message = plain_message(raised(parse_base_model, "a/b/c"), tmp_path)
    assert message is not None
    assert message.startswith("base_model 'a/b/c' is none of: hub id")


def test_what_a_library_did_not_understand_keeps_its_traceback(tmp_path: Path) -> None:
    assert plain_message(raised(json.loads, "{"), tmp_path) is None
    assert plain_message(KeyError("labels"), tmp_path) is None


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_said_with_what_to_do(tmp_path: Path, error: Exception) -> None:
    message = plain_message(error, tmp_path / "fine_tuned_model" / "71ab")
    assert message is not None
    assert "the disk is full" in message
    assert "run it again, it goes on from its last checkpoint" in message


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate "
            "memory: you tried to allocate 4398046511104 bytes. Error code 12"
        ),
        type("OutOfMemoryError", (RuntimeError,), {})(
            "CUDA out of memory. Tried to allocate 2 GiB"
        ),
        MemoryError(),
    ],
    ids=["cpu", "gpu", "python"],
)
def test_out_of_memory_names_settings_that_use_less(tmp_path: Path, error: Exception) -> None:
    try:
        raise ValueError("while it was handled") from error
    except ValueError as outer:
        message = plain_message(outer, tmp_path)
    assert message is not None
    assert message.startswith("out of memory: ")
    assert "a smaller per_device_train_batch_size" in message


def test_the_process_of_a_job_prints_the_message_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(json.dumps({"output_dir": str(tmp_path / "out")}))
    program = (
        "from assets.jobs import run_job; from assets.models import parse_base_model; "
        "run_job(lambda job, folder, say: parse_base_model('a/b/c'))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "job.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "base_model 'a/b/c' is none of" in run.stderr
    assert "Traceback" not in run.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["job.json"]
