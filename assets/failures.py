"""What a heavy job says of a failure that its user can mend: one clear message, no traceback."""

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

OUR_CODE = Path(__file__).parent
USES_LESS_MEMORY = (
    "what uses less: a smaller per_device_train_batch_size with more gradient_accumulation_steps, "
    "gradient_checkpointing: true, method: lora or qlora, shorter rows (max_length of templating:)"
)
_FULL_DISK = ("No space left on device", "os error 28", "Disk quota exceeded")
_UNWRITTEN = ("PytorchStreamWriter failed", "inline_container.cc", "iostream error")
_NO_MEMORY = ("can't allocate memory", "CUDA out of memory", "out of memory. Tried to allocate")
_LITTLE = 64 << 20  # bytes: with less free, a file that could not be written met a full disk


def plain_message(error: BaseException, folder: Path) -> str | None:
    """Return what to tell the user, None where the traceback tells more.

    Args:
        error: that ended the job.
        folder: that the job was to publish.
    """
    chain = list(_chain(error))
    if any(_is_full_disk(e, folder) for e in chain):
        free = shutil.disk_usage(_standing(folder)).free >> 20
        return (
            f"the disk is full ({free} MB free at {folder.parent}), nothing was published: make "
            f"room and run it again, it goes on from its last checkpoint [{_first_line(error)}]"
        )
    if any(_is_out_of_memory(e) for e in chain):
        return f"out of memory: {_first_line(error)}\n{USES_LESS_MEMORY}"
    return str(error) if isinstance(error, ValueError) and _is_ours(error) else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_full_disk(error: BaseException, folder: Path) -> bool:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    if any(words in str(error) for words in _FULL_DISK):
        return True
    unwritten = any(words in str(error) for words in _UNWRITTEN)
    return unwritten and shutil.disk_usage(_standing(folder)).free < _LITTLE


def _is_out_of_memory(error: BaseException) -> bool:
    named = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return named or any(words in str(error) for words in _NO_MEMORY)


def _is_ours(error: BaseException) -> bool:
    """Return whether our own code raised it, with words for the user, and no library."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return frame is not None and OUR_CODE in Path(frame.tb_frame.f_code.co_filename).parents


def _standing(folder: Path) -> Path:
    """Return the nearest folder that exists."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _first_line(error: BaseException) -> str:
    line = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {line}"
