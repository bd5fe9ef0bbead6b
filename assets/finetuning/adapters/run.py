"""Several adapters on one base become one model: the job of `fine_tuned_model` after them.

    model/                  the weighted average of all adapters, for rows of another route
    model/billing/          an adapter, which answers rows whose field says `billing`

{"output_dir": "…/fine_tuned_model/71ab…", "run_key": "71ab…", "adapters_by": "queue",
 "adapters": {"billing": {"folder": "…/adapter_billing/03cd…", "weight": 1.0}, …}}
"""

import json
import shutil
from pathlib import Path
from typing import Any

from assets.finetuning.saving import weights_hash
from assets.fit import fit_verdict
from assets.jobs import Say, run_job

_OF_ALL = (  # what the manifests of all adapters have in common
    *("objective", "objective_options", "method", "method_options", "settings", "seed", "labels"),
    *("examples", "model_kind", "template_hash", "quantization", "base_model", "packages"),
    *("hardware", "inputs"),
)


def work(job: dict[str, Any], folder: Path, say: Say) -> dict[str, Any]:
    """Write average and adapters under `folder/model`; return the manifest of the whole."""
    adapters: dict[str, Any] = job["adapters"]
    manifests = {name: _manifest(adapter["folder"]) for name, adapter in adapters.items()}
    first = next(iter(manifests.values()))
    say(f"putting {len(adapters)} adapters on one base: {', '.join(adapters)}")
    _write_average(first, adapters, folder / "model")
    for name, adapter in adapters.items():
        shutil.copytree(Path(adapter["folder"]) / "model", folder / "model" / name)
    trainable = sum(m["parameters"]["trainable"] for m in manifests.values())
    splits = ("train", "eval")
    return {
        **{key: first[key] for key in _OF_ALL},
        **{key: value for key, value in first.items() if key == "dtype"},
        "run_key": job["run_key"],
        "code_version": job["code_version"],
        "adapters_by": job["adapters_by"],
        "adapters": {name: m["weights_hash"] for name, m in manifests.items()},
        "weights_hash": weights_hash(folder / "model"),
        "parameters": {"total": first["parameters"]["total"], "trainable": trainable},
        "method_findings": None,
        "finished": None,
        "history": [],  # each adapter has its own, and its own verdict
        "verdicts": {name: fit_verdict(m["history"]) for name, m in manifests.items()},
        "row_ids": {
            split: sorted(row for m in manifests.values() for row in m["row_ids"][split])
            for split in splits
        },
        "seconds": round(sum(m["seconds"] for m in manifests.values()), 1),
        "peak_memory_mb": max(m["peak_memory_mb"] for m in manifests.values()),
    }


def _write_average(manifest: dict[str, Any], adapters: dict[str, Any], target: Path) -> None:
    from assets.finetuning.adapters.merging import AVERAGE, average_adapters
    from assets.loading.models import load_base

    folders = {name: Path(adapter["folder"]) / "model" for name, adapter in adapters.items()}
    weights = [float(adapter["weight"]) for adapter in adapters.values()]
    model: Any = average_adapters(load_base(manifest), folders, weights)
    model.save_pretrained(str(target), selected_adapters=[AVERAGE])
    for file in (target / AVERAGE).iterdir():
        file.rename(target / file.name)
    (target / AVERAGE).rmdir()
    some = next(iter(folders.values()))
    for file in some.iterdir():  # tokenizer and template are the same for all
        if file.is_file() and not (target / file.name).exists():
            shutil.copy(file, target)


def _manifest(folder: str) -> dict[str, Any]:
    return json.loads((Path(folder) / "manifest.json").read_text(encoding="utf-8"))


if __name__ == "__main__":
    run_job(work)
