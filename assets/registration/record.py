"""What is written down of a judged model: the MLflow run's values, and the asset's own manifest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assets.registration.promotion import Decision

_DESCRIBED = ("objective", "method", "base_model", "settings", "parameters", "seed", "packages")


@dataclass(frozen=True)
class Facts:
    """All that is known of one judged model."""

    pipeline: str
    model: Mapping[str, Any]  # manifest of fine_tuned_model
    evaluation: Mapping[str, Any]  # manifest of evaluation_report
    rows: Mapping[str, int]  # split -> training examples
    data_versions: Mapping[str, str]  # asset -> data version
    decision: Decision

    @property
    def weights_hash(self) -> str:
        """Return the hash that tells one model from another."""
        return self.model["weights_hash"]

    def parameters(self) -> dict[str, Any]:
        """Return how the model was made."""
        return {name: self.model[name] for name in _DESCRIBED}

    def metrics(self) -> dict[str, float]:
        """Return every score as `tuned_roc_auc`, `base_roc_auc` …."""
        return {
            f"{who}_{metric}": value
            for who, scores in self.evaluation["metrics"].items()
            for metric, value in scores.items()
        }

    def tags(self, folder: str) -> dict[str, str]:
        """Return how run and version are found again; `folder` is the published model's."""
        return {
            "pipeline": self.pipeline,
            "weights_hash": self.weights_hash,
            "run_key": self.model["run_key"],
            "artifact": folder,
            **{name: self.model[name] for name in ("hosted_model", "job_id") if name in self.model},
        }

    def manifest(self, version: str, alias: str) -> dict[str, object]:
        """Return the asset's manifest; it names no run, whose id is another one every time."""
        return {
            "version": version,
            "alias": alias,
            "promoted": self.decision.promoted,
            "reason": self.decision.reason,
            "weights_hash": self.weights_hash,
            "model_uri": f"models:/{self.pipeline}/{version}",
        }
