"""`make dev`: the Dagster UI with its daemon, the MLflow UI, and the reports and Data Docs.

All listen on this machine only. Ctrl-C ends the three together.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from pipelines.environments import ROOT, state_folder, tracking_uri

BIN = Path(sys.executable).parent


def commands() -> dict[str, list[str]]:
    """Return what runs beside each other, by the address that it answers at."""
    return {
        "http://localhost:3000  Dagster": [str(BIN / "dg"), "dev", "--port", "3000"],
        "http://localhost:5000  MLflow": [
            *(str(BIN / "mlflow"), "ui", "--port", "5000"),
            *("--backend-store-uri", tracking_uri()),
        ],
        "http://localhost:3001  reports and Data Docs": [
            *(sys.executable, "-m", "http.server", "3001", "--bind", "127.0.0.1"),
            *("--directory", str(state_folder() / "artifacts")),
        ],
    }


def main() -> int:
    """Run all of them until one ends or somebody presses Ctrl-C."""
    (state_folder() / "artifacts").mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # An ignored SIGINT, as a background job of a shell has it, would be inherited by all.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    environment = {"DAGSTER_HOME": str(ROOT), **os.environ}
    quiet = {"http.server": subprocess.DEVNULL}
    running = []
    for title, command in commands().items():
        print(title, flush=True)
        output = quiet.get(command[2] if len(command) > 2 else "")
        running.append(
            subprocess.Popen(
                command, cwd=ROOT, env=environment, start_new_session=True, stderr=output
            )
        )
    try:
        while all(process.poll() is None for process in running):
            time.sleep(0.5)
    except KeyboardInterrupt:
        return 0
    finally:
        for process in running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
        for process in running:
            process.wait()
    return 1


if __name__ == "__main__":
    sys.exit(main())
