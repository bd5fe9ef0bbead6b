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


def launch(module: str, output_dir: Path, num_processes: int = 1) -> dict:
    made, job = {}, {"output_dir": str(output_dir), "n": 7}

    @dg.asset
    def launched(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        made.update(Launcher().run(context, module, job, num_processes))
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


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ("os.kill(os.getpid(), 9)", "killed by signal 9.*out of memory is the usual cause.*lora"),
        ("os.kill(os.getpid(), 15)", "ended by SIGTERM.*nothing was published"),
        ("raise SystemExit(143)", "ended by SIGTERM.*nothing was published"),
        ("os.kill(os.getpid(), 11)", r"killed by signal 11 \(SIGSEGV\), a crash"),
    ],
)
def test_a_job_that_a_signal_ended_says_which_and_what_to_do(
    module, tmp_path: Path, ends: str, words: str
) -> None:
    with pytest.raises(dg.Failure, match=f"(?s)a_job failed, {words}"):
        launch(module(f"import os\n{ends}"), tmp_path / "out")


def test_a_job_that_publishes_and_then_fails_is_a_failure(module, tmp_path: Path) -> None:
    with pytest.raises(dg.Failure, match="exit code 5"):
        launch(module(PUBLISH + "\nraise SystemExit(5)"), tmp_path / "out")


@pytest.mark.slow
def test_one_process_of_several_that_fails_ends_the_others_and_says_its_own_last_words(
    module, tmp_path: Path
) -> None:
    job = module(
        """
        import os, sys, time
        if os.environ["RANK"] == "1":
            print("ValueError: these rows do not fit")
            sys.exit(3)
        time.sleep(600)
        """
    )
    words = r"exit code 3:\n(?!.*elastic)(?s:.*)ValueError: these rows do not fit\nAll it wrote"
    with pytest.raises(dg.Failure, match=words):
        launch(job, tmp_path / "out", num_processes=2)


@pytest.mark.slow
def test_cancel_ends_every_process_of_several(module, tmp_path: Path) -> None:
    job = module(
        """
        import os, pathlib, sys, time
        pids = pathlib.Path(sys.argv[1]).with_name("pids-" + os.environ["RANK"])
        pids.with_suffix(".partial").write_text(f"{os.getpid()} {os.getppid()}")
        pids.with_suffix(".partial").rename(pids)
        time.sleep(600)
        """
    )
    cancel(job, tmp_path, [tmp_path / "pids-0", tmp_path / "pids-1"], num_processes=2)


def test_cancel_leaves_no_process(module, tmp_path: Path) -> None:
    job = module(
        """
        import os, pathlib, signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a job that will not listen
        worker = subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 600 & echo $!; wait"],
                                  stdout=subprocess.PIPE, text=True)  # nor will its worker
        out = pathlib.Path(sys.argv[1]).with_name("pids.partial")
        out.write_text(f"{os.getpid()} {worker.pid} {worker.stdout.readline()}")
        out.rename(out.with_name("pids"))
        time.sleep(600)
        """
    )
    cancel(job, tmp_path, [tmp_path / "pids"])


def cancel(job: str, folder: Path, noted: list[Path], num_processes: int = 1) -> None:
    """Run the job, cancel it when it has noted its processes, and wait until none is left."""
    program = textwrap.dedent(
        f"""
        import dagster as dg
        from resources.launcher import Launcher

        @dg.asset
        def launched(context: dg.AssetExecutionContext) -> None:
            launcher = Launcher(stop_grace_seconds={0.3 if num_processes == 1 else 20})
            asked = {{"output_dir": {str(folder / "out")!r}}}
            launcher.run(context, {job!r}, asked, {num_processes})

        dg.materialize([launched], instance=dg.DagsterInstance.ephemeral())
        """
    )
    run = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
    wait_for(lambda: all(pids.exists() for pids in noted), seconds=90)
    run.send_signal(signal.SIGINT)
    run.wait(timeout=30)
    for pid in " ".join(pids.read_text() for pids in noted).split():
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
