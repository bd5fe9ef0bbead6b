"""`python -m bench.orchestration`: the seconds that Dagster adds to a pipeline's own work.

Every pipeline is run with its work left out, on the same executor and instance: assets, checks and
metadata are there, the functions return at once; the two heavy jobs start their processes, import
what training and evaluation import, and end. Beside that a plain script is timed that imports the
same in one process, as it would have to without Dagster; the difference is what Dagster adds.
Every repeat is a fresh process with an empty instance. The exit code is 1 above the limit.
"""

import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import chdir, contextmanager
from multiprocessing import get_context
from statistics import median
from tempfile import TemporaryDirectory

import dagster as dg

from bench.idle_pipeline import IMPORTS, Seconds, idle_pipeline
from pipelines.environments import ROOT

REPEATS = 3
LIMIT_SECONDS = 25.0
LOAD = "from pipelines.definitions import defs; defs().get_repository_def()"
PLAIN = "import " + ", ".join(name for names in IMPORTS.values() for name in names)
PLAIN_PART = "- the same imports, one process"
QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


def main() -> int:
    """Measure every pipeline, print the medians, and return the exit code."""
    pipelines = sorted(path.parent.name for path in (ROOT / "pipelines").glob("*/defs.yaml"))
    repeats = [{name: measure(name) for name in pipelines} for _ in range(REPEATS)]
    print(f"{f'seconds, median of {REPEATS}':<36}", *(f"{name:>20}" for name in pipelines))
    for part in repeats[0][pipelines[0]]:
        figures = (median(repeat[name][part] for repeat in repeats) for name in pipelines)
        print(f"{part:<36}", *(f"{figure:>20.2f}" for figure in figures))
    added = [median(sum(repeat[name].values()) for repeat in repeats) for name in pipelines]
    print(f"{f'Dagster adds (limit {LIMIT_SECONDS:g})':<36}", *(f"{s:>20.2f}" for s in added))
    return int(max(added) > LIMIT_SECONDS)


def measure(pipeline: str) -> Seconds:
    """Return the seconds of each part; what a plain script needs as well counts negative."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return {
            "process, dagster, definitions": _process(LOAD),
            **pool.submit(run_idle, pipeline).result(),
            PLAIN_PART: -_process(PLAIN),
        }


def run_idle(pipeline: str) -> Seconds:
    """Observe and materialize the pipeline with its work left out, in an empty instance."""
    warnings.simplefilter("ignore")  # Dagster's, about its own parts that are in preview
    heavy: Seconds = {}
    with _empty_instance() as instance:
        definitions = idle_pipeline(pipeline, heavy)
        began = time.perf_counter()
        for job in ("observe", "materialize"):
            definitions.resolve_job_def(job).execute_in_process(instance=instance, run_config=QUIET)
        runs = time.perf_counter() - began - sum(heavy.values())
    return {"two runs: steps, checks, storage": runs} | heavy


@contextmanager
def _empty_instance() -> Iterator[dg.DagsterInstance]:
    """Yield an instance as dagster.yaml describes it; its paths are relative, so it lies aside."""
    os.environ["PYTHONPATH"] = str(ROOT)
    with (
        TemporaryDirectory() as folder,
        chdir(folder),
        dg.DagsterInstance.from_config(str(ROOT)) as instance,
    ):
        yield instance


def _process(code: str) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
