"""What a hosted tuning job is asked with, and what comes back."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal


class TuningFailed(Exception):
    """No model came of it; the message says why, and what to do."""


@dataclass(frozen=True)
class HostedJob:
    """One model to tune from files that lie here."""

    run_key: str  # the same key is the same job: one that stands is gone on with, not repeated
    model: str  # "gpt-4.1-mini-2025-04-14", or a tuned "ft:…" to go on from
    method: Literal["supervised", "dpo"]
    hyperparameters: Mapping[str, float]  # what is absent the service chooses
    training_file: Path  # JSONL, one example a line
    validation_file: Path | None = None
    seed: int = 0
    name: str = ""  # becomes part of the tuned model's name, so that a person knows it
    estimated_cost_usd: float = 0.0
    max_cost_usd: float = 0.0  # a new job that may cost more is not created, and nothing uploaded

    def key(self, address: str) -> str:
        """Return the hash that names the job at the service of this address."""
        return hashlib.sha256(f"{address}\n{self.run_key}".encode()).hexdigest()

    def body(self, tag_name: str, tag: str, training: str, validation: str) -> dict[str, Any]:
        """Return the JSON of its creation; the files by their ids, '' for none."""
        settings = {"hyperparameters": dict(self.hyperparameters)}
        return {
            "model": self.model,
            "training_file": training,
            **({"validation_file": validation} if validation else {}),
            "method": {"type": self.method, self.method: settings},
            "seed": self.seed,
            "suffix": _suffix(self.name, tag),
            "metadata": {tag_name: tag},
        }


@dataclass(frozen=True)
class TunedModel:
    """A model that stands at the service, and what became of the job that made it."""

    model: str  # "ft:gpt-4.1-mini-2025-04-14:…", to be asked like any other
    job_id: str
    base_model: str  # with its date
    trained_tokens: int | None  # what is billed; None where the service counts none
    hyperparameters: dict[str, Any]  # those the service chose, too
    seed: int | None
    seconds: float  # from the job's creation to its end
    # Loss by step: {"step": 10, "loss": 1.2, "eval_loss": 1.3, "train_accuracy": 0.7}
    history: list[dict[str, float]] = field(default_factory=list)


def _suffix(name: str, tag: str) -> str:
    """Return letters, digits and dashes: what a model's name may hold."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower())
    return "-".join(filter(None, [*plain.split("-"), tag[:8]]))[-40:].strip("-")
