"""Heavy jobs run here: one process group each, started through Dagster Pipes and ended as a whole.

A job is `python -m <module> job.json`. It succeeds when it exits 0 *and* its output folder holds a
manifest: the job writes aside and renames, so that a folder with a manifest is whole.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from resources import several_processes
from resources.exit_reasons import exit_reason
from resources.pipes_messages import WholeLineMessageReader

MANIFEST = "manifest.json"
# Read by OpenMP and malloc when a process starts, so they must be in its environment. A waiting
# OpenMP thread that spins makes a job up to ten times slower beside one busy process; a high mmap
# threshold keeps large buffers from going back to the kernel at every step.
PROCESS_POLICY = {
    "OMP_WAIT_POLICY": "passive",
    # A thread that waits for work turns so often before it sleeps. Alone an encoder trained a
    # tenth faster with 500 than with 0; with 10,000 it was 3.5 times slower beside a busy process.
    "GOMP_SPINCOUNT": "500",
    # oneDNN keeps a kernel for each shape that it met, 1,024 of them: of ragged rows that is up to
    # 400 MB. A row needs about 40, over and over; with 16 a 135M model was a twentieth slower.
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONUNBUFFERED": "1",
}


class Launcher(dg.ConfigurableResource):
    """Runs jobs as local processes."""

    # That train together, one a GPU: a step then learns from so many times the rows.
    num_processes: int = Field(default=1, ge=1)
    # Between SIGTERM and SIGKILL when a run is cancelled: a training saves a checkpoint meanwhile,
    # so it must hold one step and the writing of model and optimizer.
    stop_grace_seconds: float = 20.0

    def run(
        self,
        context: dg.AssetExecutionContext,
        module: str,
        job: Mapping[str, object],
        num_processes: int = 1,
    ) -> dict[str, Any]:
        """Run `job` and return its manifest; at once where its output already stands.

        `job["output_dir"]` names the folder that the job publishes; more than one process is for
        jobs that know of each other. Raises dg.Failure when one fails or ends without a manifest,
        and ends the whole process group on cancel.
        """
        output_dir = Path(str(job["output_dir"]))
        if not (output_dir / MANIFEST).exists():
            self._run_process(context, module, job, output_dir, num_processes)
        else:
            context.log.info(f"{output_dir.name} already stands: nothing to do")
        return json.loads((output_dir / MANIFEST).read_text(encoding="utf-8"))

    def _run_process(
        self,
        context: dg.AssetExecutionContext,
        module: str,
        job: Mapping[str, object],
        output_dir: Path,
        num_processes: int,
    ) -> None:
        output_dir.parent.mkdir(parents=True, exist_ok=True)
        job_file = output_dir.parent / f"{output_dir.name}.job.json"
        job_file.write_text(json.dumps(job, indent=2, sort_keys=True), encoding="utf-8")
        log_file = job_file.with_suffix(".log")
        with (
            log_file.open("wb") as log,
            dg.open_pipes_session(
                context=context,
                context_injector=dg.PipesTempFileContextInjector(),
                message_reader=WholeLineMessageReader(),
            ) as session,
        ):
            process = subprocess.Popen(
                several_processes.command(module, job_file, num_processes),
                env={**PROCESS_POLICY, **os.environ, **session.get_bootstrap_env_vars()},
                start_new_session=True,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                returncode = process.wait()
            finally:
                _end_group(process, self.stop_grace_seconds)
        if returncode != 0:
            written = log_file.read_text(encoding="utf-8", errors="replace").splitlines()
            code = several_processes.exit_code(written, returncode)
            raise dg.Failure(
                f"{module} failed, {exit_reason(code)}:\n{_last_lines(written)}\n"
                f"All it wrote: {log_file}\nRun it alone: python -m {module} {job_file}"
            )
        if not (output_dir / MANIFEST).exists():
            raise dg.Failure(f"{module} exited 0 without publishing {output_dir}: nothing was made")


def _last_lines(written: Sequence[str], count: int = 15) -> str:
    return "\n".join(several_processes.of_the_job(written)[-count:])


def _end_group(process: subprocess.Popen[bytes], grace_seconds: float) -> None:
    """End the process and all that it started; a group that is already gone is fine."""
    _signal_group(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while time.monotonic() < deadline and _group_lives(process):
        time.sleep(0.05)
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()


def _group_lives(process: subprocess.Popen[bytes]) -> bool:
    process.poll()  # reaps the leader, which otherwise stays in its group as a zombie
    return _signal_group(process.pid, 0)


def _signal_group(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True
