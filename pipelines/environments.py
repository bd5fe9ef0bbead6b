"""Which resources stand behind the doors: embedded under `.tuneline/`, or named by the environment.

| variable | default | in production |
|---|---|---|
| TUNELINE_STATE | `.tuneline` | a folder that all workers share |
| MLFLOW_TRACKING_URI | `sqlite:///…/.tuneline/mlflow.db` | a tracking server |
| OPENAI_BASE_URL, OPENAI_API_KEY | none | the endpoint of teachers and of hosted tuning |
| TUNELINE_NUM_PROCESSES | 1 | how many GPUs one training takes, a process each |
| TUNELINE_PSEUDONYM_KEY | none | a secret: without it names can be tried against pseudonyms |
"""

import os
from pathlib import Path

import dagster as dg

from resources.artifact_store import ArtifactStore
from resources.experiment_tracker import ExperimentTracker
from resources.hosted_tuning import HostedTuning
from resources.launcher import Launcher
from resources.model_registry import ModelRegistry
from resources.teacher_model import TeacherModel

ROOT = Path(__file__).resolve().parent.parent


def state_folder() -> Path:
    """Return the folder that holds everything written at run time."""
    return Path(os.environ.get("TUNELINE_STATE", ROOT / ".tuneline")).resolve()


def tracking_uri() -> str:
    """Return where MLflow keeps runs and models."""
    return os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{state_folder()}/mlflow.db")


def num_processes() -> int:
    """Return how many processes train one model together."""
    text = os.environ.get("TUNELINE_NUM_PROCESSES", "1")
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(
            f"TUNELINE_NUM_PROCESSES is {text!r}: set it to the number of GPUs that one training "
            "takes, 1 or more"
        )
    return int(text)


def resources() -> dict[str, dg.ConfigurableResource]:
    """Return the resource behind every parameter name that assets ask for."""
    state = state_folder()
    return {
        "store": ArtifactStore(root=str(state / "artifacts")),
        "launcher": Launcher(num_processes=num_processes()),
        "hosted_tuning": HostedTuning(ledger_path=str(state / "hosted_jobs.db")),
        "teacher_model": TeacherModel(cache_path=str(state / "teacher_cache.db")),
        "experiment_tracker": ExperimentTracker(
            tracking_uri=tracking_uri(), artifact_root=str(state / "mlflow_artifacts")
        ),
        "model_registry": ModelRegistry(tracking_uri=tracking_uri()),
    }
