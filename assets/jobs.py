"""The inside of a heavy job: `python -m assets.<room>.run job.json`, under Dagster Pipes or alone.

`job.json` holds plain values, `output_dir` and `run_key` among them. A job writes into a folder
aside and publishes it by one rename, the manifest written last: a folder with a manifest is whole.
Where several processes do one job together, the first of them publishes and speaks.
"""

import json
import logging
import os
import shutil
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster_pipes import DagsterPipesWarning, open_dagster_pipes

from assets import processes
from assets.failures import plain_message

MANIFEST = "manifest.json"
CHECKPOINTS = ".checkpoints"  # `<output>.checkpoints` serves the next try, until one is published
Say = Callable[[str], None]  # a line of progress, live in the Dagster log
Work = Callable[[dict[str, Any], Path, Say], dict[str, Any]]


class Stopped(Exception):
    """A job that was asked to end, and has: nothing is published."""

    exit_code = 128 + signal.SIGTERM  # what a shell reports of a process that SIGTERM ended


def run_job(work: Work) -> None:
    """Run `work(job, folder, say)`; what it returns becomes the manifest."""
    _quiet_libraries()
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    processes.join()
    with _progress() as say:
        failure = attempt(work, job, say)
    if failure is not None:
        sys.exit(failure)  # outside of the pipes, which would report it with a traceback


def attempt(work: Work, job: dict[str, Any], say: Say) -> str | int | None:
    """Publish what `work` makes; return the message, or the exit code, of what its user can mend.

    Any other failure is raised.
    """
    output_dir = Path(job["output_dir"])
    if (output_dir / MANIFEST).exists():
        say(f"{output_dir.name} already stands: nothing to do")
        drop_checkpoints(output_dir)
        return None
    try:
        with published(output_dir) as folder:
            manifest = work(job, folder, say)
            if processes.is_first():
                write_json(folder / MANIFEST, manifest)
    except Stopped as stopped:
        print(stopped, file=sys.stderr)
        say(str(stopped))
        return stopped.exit_code
    except Exception as error:
        message = plain_message(error, output_dir)
        if message is None:
            raise
        return message
    return None


@contextmanager
def published(target: Path) -> Iterator[Path]:
    """Yield an empty `<target>.partial`; rename it to `target` when the block succeeds."""
    partial = target.with_name(f"{target.name}.partial")
    if not processes.is_first():
        processes.wait_for_all()  # until the first one has made it
        yield partial
        return
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    processes.wait_for_all()
    try:
        yield partial
        for path in filter(Path.is_file, partial.rglob("*")):
            flush(path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)  # a full disk has room again
        raise
    if target.exists():
        shutil.rmtree(target)  # a folder without a manifest: never whole, or tampered with
    os.rename(partial, target)
    flush(target.parent)
    drop_checkpoints(target)


def drop_checkpoints(target: Path) -> None:
    """Remove what was kept for another try at `target`."""
    shutil.rmtree(target.with_name(target.name + CHECKPOINTS), ignore_errors=True)


def flush(path: Path) -> None:
    """Return when the disk has what was written to a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: object) -> None:
    """Write canonical JSON, flushed to the disk."""
    with path.open("w", encoding="utf-8") as file:
        json.dump(value, file, indent=2, sort_keys=True, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())


def _quiet_libraries() -> None:
    """Leave the output to what the job says: no bars of loading weights, no advice on arguments."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    warnings.simplefilter("ignore", FutureWarning)


@contextmanager
def _progress() -> Iterator[Say]:
    piped = "DAGSTER_PIPES_CONTEXT" in os.environ
    if piped:
        threading.Thread(target=_end_with, args=(processes.ancestors(),), daemon=True).start()
    if not processes.is_first():
        yield lambda line: None
        return
    if not piped:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
        yield logging.getLogger("job").info
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DagsterPipesWarning)
        with open_dagster_pipes() as pipes:
            yield pipes.log.info


def _end_with(ancestors: list[int]) -> None:
    """End this process when the Dagster run that started it is gone, killed say."""
    while processes.ancestors() == ancestors:
        time.sleep(1)
    os._exit(1)
