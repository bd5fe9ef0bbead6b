"""Several processes that train one model together, one a GPU: who is the first, and waiting.

`accelerate launch` gives each RANK and WORLD_SIZE. All of them train; the first one alone speaks,
writes and publishes. Alone, a process is the first of one.

Two learn what one learns from twice the batch, but for rounding. Where the rows do not fill the
last step of an epoch, its first rows do; rows that are compared within a batch (embed) are compared
within the batch of their process.
"""

import os


def count() -> int:
    """Return how many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Return whether this process speaks and writes for all."""
    return os.environ.get("RANK", "0") == "0"


def join() -> None:
    """Connect to the others: NCCL between GPUs, gloo between CPUs. Imports torch where it must."""
    if count() > 1:
        import torch
        from accelerate import PartialState

        PartialState(cpu=not torch.cuda.is_available())


def wait_for_all() -> None:
    """Return when every process has come here, at once where there is one."""
    if count() > 1:
        import torch

        torch.distributed.barrier()


def ancestors() -> list[int]:
    """Return the processes that this one should not outlive: what started it.

    Of several it is their launcher, and the run that started that one.
    """
    if count() == 1:
        return [os.getppid()]
    import psutil

    return [parent.pid for parent in psutil.Process().parents()[:2]]
