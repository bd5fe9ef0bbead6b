"""What one hosted training is asked with, the key that makes it one, and what is kept of it.

The manifest of a model that lies at a service: `{"model_kind": "hosted", "hosted_model":
"ft:gpt-4.1-mini-2025-04-14:…", "job_id": "ftjob-…", "cost_usd": 0.42, "weights_hash": "5f0c…", …}`
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from assets.finetuning.config import FinetuningConfig
from assets.finetuning.hosted.cost import Estimate, Price, estimate, price_of
from assets.finetuning.hosted.files import TrainingFiles, training_files
from assets.records import Sample, content_hash

VERSION = "1"  # raise it when the same samples would be asked for in another way


@dataclass(frozen=True)
class Order:
    """One hosted training before it is asked for."""

    config: FinetuningConfig
    template: Mapping[str, Any]  # of training_examples: the system message comes from there
    files: TrainingFiles
    hyperparameters: dict[str, float]
    price: Price
    expected: Estimate
    row_ids: dict[str, list[str]]  # split -> the samples that leave

    @property
    def run_key(self) -> str:
        """Return the hash of all that decides the model, and of nothing else: a job is paid for."""
        sent = [hashlib.sha256(f).hexdigest() for f in (self.files.training, self.files.validation)]
        config = self.config
        asked = [config.base_model, config.objective, self.hyperparameters, config.seed]
        return content_hash([VERSION, *sent, *asked])


def order(
    config: FinetuningConfig, samples: Sequence[Sample], template: Mapping[str, Any]
) -> Order:
    """Return what is to be asked; ValueError where the service would refuse it."""
    options = config.options("method")
    files = training_files(samples, config.objective, template.get("system", ""))
    price = price_of(config.base_model, options.price_per_million)
    return Order(
        config=config,
        template=template,
        files=files,
        hyperparameters=options.hyperparameters(config.objective),
        price=price,
        expected=estimate(files.tokens, options.n_epochs, price),
        row_ids={
            split: sorted(s.id for s in samples if s.split == split) for split in ("train", "eval")
        },
    )


def write_files(order: Order, folder: Path) -> tuple[Path, Path | None]:
    """Write what is sent; return the training and, where there is one, the validation file."""
    training, validation = folder / "training.jsonl", folder / "validation.jsonl"
    training.write_bytes(order.files.training)
    if not order.files.validation:
        return training, None
    validation.write_bytes(order.files.validation)
    return training, validation


def write_model(
    order: Order, tuned: Mapping[str, Any], inputs: Mapping[str, str], folder: Path
) -> None:
    """Write what stands for the weights that stay at the service: manifest and template.

    `tuned` is what came back: model, job_id, base_model, trained_tokens, hyperparameters, …
    """
    (folder / "model").mkdir()
    _write(folder / "model" / "template.json", order.template)
    _write(folder / "manifest.json", _manifest(order, tuned, inputs))


def _manifest(order: Order, tuned: Mapping[str, Any], inputs: Mapping[str, str]) -> dict[str, Any]:
    config, trained = order.config, tuned["trained_tokens"]
    return {
        "run_key": order.run_key,
        "inputs": dict(inputs),
        "objective": config.objective,
        "method": config.method,
        "method_options": config.options("method").model_dump(mode="json"),
        "settings": tuned["hyperparameters"],
        "seed": config.seed,
        "examples": order.template["kind"],
        "model_kind": "hosted",
        "labels": None,
        "template_hash": order.template["template_hash"],
        "base_model": {"kind": "hosted", "name": config.base_model, "revision": None, "path": None},
        "hosted_model": tuned["model"],
        "job_id": tuned["job_id"],
        "weights_hash": content_hash(tuned["model"]),  # its name there is all that can be known
        "trained_tokens": trained,
        "estimated_cost_usd": order.expected.cost_usd,
        "cost_usd": order.expected.cost_usd if trained is None else order.price.cost_usd(trained),
        "history": tuned["history"],
        "row_ids": order.row_ids,
        "seconds": tuned["seconds"],
        "parameters": {},  # the service does not say how many there are
        "packages": {"openai": version("openai")},
    }


def _write(path: Path, value: object) -> None:
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    path.write_text(text, encoding="utf-8")
