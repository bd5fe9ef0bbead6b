"""Each job here is a small real program that the launcher starts as `python -m <name> job.json`."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import dagster as dg
import pytest

from resources.launcher import PROCESS_POLICY, Launcher

PUBLISH = """
import json, os, pathlib, sys
job = json.loads(pathlib.Path(sys.argv[1]).read_text())
out = pathlib.Path(job["output_dir"]); out.mkdir()
manifest = {"policy": os.environ["OMP_WAIT_POLICY"], "n": job["n"]}
(out / "manifest.json").write_text(json.dumps(manifest))
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that writes a program and returns the name it runs under."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def write(source: str) -> str:
        (tmp_path / "a_job.py").write_text(textwrap.dedent(source))
        return "a_job"

    return write


def launch(module: str, output_dir: Path) -> dict:
    made = {}

    @dg.asset
    def launched(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        made.update(Launcher().run(context, module, {"output_dir": str(output_dir), "n": 7}))
        return dg.MaterializeResult()

    dg.materialize([launched], instance=dg.DagsterInstance.ephemeral())
    return made


def test_a_job_returns_its_manifest_and_runs_under_the_process_policy(
    module, tmp_path: Path
) -> None:
    manifest = launch(module(PUBLISH), tmp_path / "out")
    assert manifest == {"policy": PROCESS_POLICY["OMP_WAIT_POLICY"], "n": 7}


def test_a_result_that_stands_is_returned_without_a_process(module, tmp_path: Path) -> None:
    launch(module(PUBLISH), tmp_path / "out")
    assert launch("no_such_module", tmp_path / "out")["n"] == 7


def test_exit_0_without_a_manifest_fails_the_asset(module, tmp_path: Path) -> None:
    with pytest.raises(dg.Failure, match="exited 0 without publishing"):
        launch(module("print('done')"), tmp_path / "out")


def test_a_failing_job_says_its_exit_code_and_how_to_run_it_alone(module, tmp_path: Path) -> None:
    with pytest.raises(dg.Failure, match=r"(?s)exit code 3:.*python -m a_job .*out\.job\.json"):
        launch(module("raise SystemExit(3)"), tmp_path / "out")


def test_a_job_that_publishes_and_then_fails_is_a_failure(module, tmp_path: Path) -> None:
    with pytest.raises(dg.Failure, match="exit code 5"):
        launch(module(PUBLISH + "\nraise SystemExit(5)"), tmp_path / "out")


def test_cancel_leaves_no_process(module, tmp_path: Path) -> None:
    job = module(
        """
        import os, pathlib, signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a job that will not listen
        worker = subprocess.Popen(["sleep", "600"])
        out = pathlib.Path(sys.argv[1]).with_name("pids.partial")
        out.write_text(f"{os.getpid()} {worker.pid}")
        out.rename(out.with_name("pids"))
        time.sleep(600)
        """
    )
    program = tmp_path / "run.py"
    program.write_text(
        textwrap.dedent(
            f"""
            import dagster as dg
            from resources.launcher import Launcher

            @dg.asset
            def launched(context: dg.AssetExecutionContext) -> None:
                launcher = Launcher(stop_grace_seconds=0.3)
                launcher.run(context, {job!r}, {{"output_dir": {str(tmp_path / "out")!r}}})

            dg.materialize([launched], instance=dg.DagsterInstance.ephemeral())
            """
        )
    )
    run = subprocess.Popen([sys.executable, program], stderr=subprocess.DEVNULL)
    pids = tmp_path / "pids"
    wait_for(pids.exists)
    run.send_signal(signal.SIGINT)
    run.wait(timeout=30)
    for pid in pids.read_text().split():
        wait_for(lambda pid=int(pid): not is_alive(pid))


def wait_for(condition, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
