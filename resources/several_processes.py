"""A job as several processes on this machine, by `accelerate launch`; and why one of them failed.

Its agent starts them, ends the rest where one fails, and then says at length that one did:

    ValueError: the tokenizer has 320 tokens, the base model embeds 50
    E0102 10:11:12.1 42 torch/distributed/elastic/…] failed (exitcode: 1) local_rank: 0 (pid: 43) …
    Traceback (most recent call last): …
"""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

_AGENT = re.compile(r"^[EW]\d{4} .*torch/distributed/elastic/")
_FAILED = re.compile(r"failed \(exitcode: (-?\d+)\) local_rank: (\d+)")


def command(module: str, job_file: Path, num_processes: int) -> list[str]:
    """Return what starts a job: python itself for one process."""
    if num_processes == 1:
        return [sys.executable, "-m", module, str(job_file)]
    threads = max(1, (os.cpu_count() or 1) // num_processes)
    return [
        *(sys.executable, "-m", "accelerate.commands.launch"),
        # its word for several processes, on CPUs too: with --cpu it starts a single one
        *("--multi_gpu", "--num_processes", str(num_processes), "--num_machines", "1"),
        *("--num_cpu_threads_per_process", str(threads), "--main_process_port", "0"),
        *("--mixed_precision", "no", "--dynamo_backend", "no"),  # the job's settings say it
        *("--module", module, str(job_file)),
    ]


def of_the_job(lines: Sequence[str]) -> list[str]:
    """Return the lines of a log without those of the agent.

    Only those of the process that failed first where its traceback is marked so: the others then
    complain of lost connections, and later.
    """
    ends = next((n for n, line in enumerate(lines) if _AGENT.match(line)), len(lines))
    if (failed := _first_failure(lines)) is not None:
        mark = f"[rank{failed[2]}]: "
        if own := [line.removeprefix(mark) for line in lines[:ends] if line.startswith(mark)]:
            return own
    return list(lines[:ends])


def exit_code(lines: Sequence[str], returncode: int) -> int:
    """Return the exit code of the process that failed first; the agent's own is always 1."""
    failed = _first_failure(lines)
    return returncode if failed is None else int(failed[1])


def _first_failure(lines: Sequence[str]) -> "re.Match[str] | None":
    return next((match for line in lines if (match := _FAILED.search(line))), None)
