"""The experiment tracker: one MLflow experiment a pipeline, one run a judged model."""

import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from resources.mlflow_connection import connect

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Metric, Param

RECORD_KEY = "record_key"
_METRICS_A_CALL, _PARAMETERS_A_CALL = 1000, 100  # what a tracking server accepts
_NOT_IN_A_NAME = re.compile(r"[^\w\-. /]")


@dataclass(frozen=True)
class DataInput:
    """A data set that a model was made from."""

    name: str
    version: str  # the asset's data version: MLflow's digest
    folder: Path
    context: str = "training"


@dataclass(frozen=True)
class RunRecord:
    """All that is known of one judged model."""

    name: str
    key: str  # the same key is recorded once
    tags: Mapping[str, str]
    parameters: Mapping[str, object]  # nested maps become `outer.inner`
    metrics: Mapping[str, float]
    history: Sequence[Mapping[str, float]] = ()  # {"step": 10, "loss": 2.3}
    inputs: Sequence[DataInput] = ()
    files: Sequence[Path] = ()
    texts: Mapping[str, str] = field(default_factory=dict)  # file name -> content


@dataclass(frozen=True)
class LoggedRun:
    """Where a person finds the run."""

    run_id: str
    url: str


class ExperimentTracker(dg.ConfigurableResource):
    """MLflow's tracking server, or its database on this machine."""

    tracking_uri: str
    artifact_root: str | None = None  # folder of a new experiment's files; None: the server's own

    def record(self, experiment: str, record: RunRecord) -> LoggedRun:
        """Return the finished run of this record, written now where none stands.

        A run that broke off is left as failed and is not taken up again.
        """
        client = connect(self.tracking_uri)
        experiment_id = self._experiment_id(client, experiment)
        run_id = _finished_run(client, experiment_id, record.key)
        if run_id is None:
            tags = {**record.tags, RECORD_KEY: record.key}
            run_id = client.create_run(experiment_id, tags=tags, run_name=record.name).info.run_id
            try:
                _write(client, run_id, record)
            except BaseException:
                client.set_terminated(run_id, "FAILED")
                raise
            client.set_terminated(run_id, "FINISHED")
        base = os.environ.get("TUNELINE_MLFLOW_URL", "http://localhost:5000").rstrip("/")
        return LoggedRun(run_id, f"{base}/#/experiments/{experiment_id}/runs/{run_id}")

    def _experiment_id(self, client: "MlflowClient", name: str) -> str:
        found = client.get_experiment_by_name(name)
        if found is not None:
            return found.experiment_id
        location = Path(self.artifact_root, name).resolve().as_uri() if self.artifact_root else None
        return client.create_experiment(name, artifact_location=location)


def _finished_run(client: "MlflowClient", experiment_id: str, key: str) -> str | None:
    wanted = f"tags.{RECORD_KEY} = '{key}' and attributes.status = 'FINISHED'"
    runs = client.search_runs([experiment_id], wanted, max_results=1)
    return runs[0].info.run_id if runs else None


def _write(client: "MlflowClient", run_id: str, record: RunRecord) -> None:
    parameters = _parameters(record.parameters)
    for start in range(0, len(parameters), _PARAMETERS_A_CALL):
        client.log_batch(run_id, params=parameters[start : start + _PARAMETERS_A_CALL])
    metrics = _metrics(record)
    for start in range(0, len(metrics), _METRICS_A_CALL):
        client.log_batch(run_id, metrics=metrics[start : start + _METRICS_A_CALL])
    client.log_inputs(run_id, [_data_set(i) for i in record.inputs])
    for file in record.files:
        client.log_artifact(run_id, str(file))
    for name, text in record.texts.items():
        client.log_text(run_id, text, name)


def _parameters(values: Mapping[str, object], prefix: str = "") -> "list[Param]":
    from mlflow.entities import Param

    found: list[Param] = []
    for key, value in sorted(values.items()):
        if isinstance(value, Mapping):
            found += _parameters(value, f"{prefix}{key}.")
        else:
            found.append(Param(_name(prefix + key), str(value)))
    return found


def _metrics(record: RunRecord) -> "list[Metric]":
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    found = [Metric(_name(key), value, now, 0) for key, value in sorted(record.metrics.items())]
    for point in record.history:
        found += [
            Metric(_name(key), value, now, int(point["step"]))
            for key, value in sorted(point.items())
            if key != "step" and isinstance(value, int | float)
        ]
    return found


def _data_set(data: DataInput) -> "DatasetInput":
    from mlflow.entities import Dataset, DatasetInput, InputTag

    source = json.dumps({"uri": str(data.folder)})
    return DatasetInput(
        Dataset(data.name, data.version, source_type="local", source=source),
        [InputTag("mlflow.data.context", data.context)],
    )


def _name(text: str) -> str:
    """Return a name that MLflow accepts: lm-eval writes `acc,none`."""
    return _NOT_IN_A_NAME.sub("_", text)
