"""What a person sees of a trained model: numbers, pictures (as PNG) and tables, by their names."""

from collections.abc import Mapping
from typing import Any

from assets.charts import lines
from assets.fit import History, curve, fit_verdict

_CURVES = {
    "grad_norm": "Gradient norm",
    "tokens_per_second": "Tokens a second",
    "memory_mb": "Memory, MiB",
}


def summary(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a trained model; pictures are bytes, nested values are JSON."""
    history = manifest["history"]
    losses = {"loss": curve(history, "loss"), "eval_loss": curve(history, "eval_loss")}
    last = {f"final_{name}": points[-1][1] for name, points in losses.items() if points}
    trained = {"verdict": fit_verdict(history)} | _pictures(history) if history else {}
    trained |= {"verdicts": manifest["verdicts"]} if "verdicts" in manifest else {}
    return {
        **last,
        "trainable_parameters": manifest["parameters"]["trainable"],
        "total_parameters": manifest["parameters"]["total"],
        "seconds": manifest["seconds"],
        "peak_memory_mb": manifest["peak_memory_mb"],
        **({"memory": memory} if (memory := manifest.get("memory")) else {}),
        **trained,
        "settings": manifest["settings"],
        **_finished(manifest),
        **({"method_findings": found} if (found := manifest["method_findings"]) else {}),
    }


def _pictures(history: History) -> dict[str, bytes]:
    losses = {"loss": curve(history, "loss"), "eval_loss": curve(history, "eval_loss")}
    read = {name: curve(history, name) for name in _CURVES}
    return {"curve": lines(losses, "Loss while training", "step", "loss")} | {
        f"{name}_curve": lines({name: points}, _CURVES[name], "step", name)
        for name, points in read.items()
        if points
    }


def _finished(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what merging and quantising made of the model, where it was asked for."""
    if not (report := manifest["finished"]):
        return {}
    shown = {name: report[name] for name in ("bytes_before", "bytes_after", "size_ratio")}
    return {**shown, "finished": report}
