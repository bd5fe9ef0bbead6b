"""The inside of a heavy job: `python -m assets.<room>.run job.json`, under Dagster Pipes or alone.

`job.json` holds plain values, `output_dir` and `run_key` among them. A job writes into a folder
aside and publishes it by one rename, the manifest written last: a folder with a manifest is whole.
"""

import json
import logging
import os
import shutil
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster_pipes import DagsterPipesWarning, open_dagster_pipes

MANIFEST = "manifest.json"
Say = Callable[[str], None]  # a line of progress, live in the Dagster log


def run_job(work: Callable[[dict[str, Any], Path, Say], dict[str, Any]]) -> None:
    """Run `work(job, folder, say)`; what it returns becomes the manifest."""
    _quiet_libraries()
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    output_dir = Path(job["output_dir"])
    with _progress() as say:
        if (output_dir / MANIFEST).exists():
            say(f"{output_dir.name} already stands: nothing to do")
            return
        with published(output_dir) as folder:
            manifest = work(job, folder, say)
            write_json(folder / MANIFEST, manifest)


@contextmanager
def published(target: Path) -> Iterator[Path]:
    """Yield an empty `<target>.partial`; rename it to `target` when the block succeeds."""
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    yield partial
    if target.exists():
        shutil.rmtree(target)  # a folder without a manifest: never whole, or tampered with
    os.rename(partial, target)


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
    if "DAGSTER_PIPES_CONTEXT" not in os.environ:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
        yield logging.getLogger("job").info
        return
    threading.Thread(target=_end_with_the_parent, args=(os.getppid(),), daemon=True).start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DagsterPipesWarning)
        with open_dagster_pipes() as pipes:
            yield pipes.log.info


def _end_with_the_parent(parent: int) -> None:
    """End this process when the Dagster run that started it is gone, killed say."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
