"""The evaluation job: `python -m assets.evaluation.run job.json`, under Dagster Pipes or alone.

{"output_dir": "…/evaluation_report/4be1…", "run_key": "4be1…", "pipeline": "linkedin_writer",
 "model_dir": "…", "examples_dir": "…", "champion_dir": null, "champion_version": null,
 "benchmarks": ["held_out_loss"], "options": {"held_out_loss": {"loss_batch_size": 8}},
 "samples": 6, "seed": 0, "inputs": {"fine_tuned_model": "71ab…", "training_examples": "03cd…"}}
"""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assets.charts import lines
from assets.evaluation.arms import Arm, load_arm
from assets.evaluation.compare import Comparison, compare, verdict
from assets.evaluation.report import render
from assets.evaluation.test_set import TestSet, read_test_set
from assets.fit import curves, fit_verdict
from assets.jobs import Say, run_job, write_json
from assets.questions import question_of
from assets.records import content_hash


def work(job: dict[str, Any], folder: Path, say: Say) -> dict[str, Any]:
    """Measure the arms, write scores.json, the pictures and report.html; return the manifest."""
    started = time.monotonic()
    _quiet()
    model = _manifest(job["model_dir"])
    test = read_test_set(Path(job["examples_dir"]))
    options = {name: job["options"].get(name, {}) for name in job["benchmarks"]}
    notes, champion_dir = _comparable_champion(job, model)
    arms = _arms(job["model_dir"], champion_dir, test, say)
    found = compare(arms, test, options, job["samples"], job["seed"], say)
    pictures = _loss_curve(model["history"]) | found.pictures
    for name, png in pictures.items():
        (folder / f"{name}.png").write_bytes(png)
    scores = _scores(found)
    write_json(folder / "scores.json", scores)
    manifest = _described(job, model, found, notes, champion_dir) | {
        "scores_hash": content_hash([found.metrics(), scores]),
        "pictures": list(pictures),
        "test_rows": len(test.rows),
    }
    html = render(manifest, model, pictures)
    (folder / "report.html").write_text(html, encoding="utf-8")
    say(manifest["verdict"])
    return manifest | {"seconds": round(time.monotonic() - started, 3)}


def _quiet() -> None:
    """Keep transformers' bars and load reports out of the log; ours says what happens."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()


def _arms(model_dir: str, champion_dir: str | None, test: TestSet, say: Say) -> Iterator[Arm]:
    """Yield one arm at a time, so that two models are never in memory together."""
    folders = {"base": model_dir, "champion": champion_dir, "tuned": model_dir}
    for name, folder in folders.items():
        if folder is not None:
            say(f"loading the {name} model")
            yield load_arm(name, Path(folder), test)


def _comparable_champion(
    job: dict[str, Any], model: dict[str, Any]
) -> tuple[list[str], str | None]:
    """Return notes, and the champion's folder unless it answers another question."""
    if job["champion_dir"] is None:
        return [], None
    theirs, ours = question_of(_manifest(job["champion_dir"])), question_of(model)
    for key, value in asdict(theirs).items():
        if value != (own := asdict(ours)[key]):
            left_out = f"Champion {job['champion_version']} is left out"
            return [f"{left_out}: it has {key} {value!r}, this model {own!r}."], None
    return [], job["champion_dir"]


def _described(
    job: dict[str, Any],
    model: dict[str, Any],
    found: Comparison,
    notes: list[str],
    champion_dir: str | None,
) -> dict[str, Any]:
    metrics = found.metrics()
    author = metrics.pop("author", None)
    return {
        "run_key": job["run_key"],
        "pipeline": job["pipeline"],
        "objective": model["objective"],
        "metrics": metrics,
        "author": author,  # the profile of the author's own posts; null for classifiers
        "directions": found.directions,
        "gate_metric": found.gate_metric,
        "lower_is_better": [m for m, way in found.directions.items() if way == "lower"],
        "champion_version": job["champion_version"] if champion_dir else None,
        "intervals": [asdict(interval) for interval in found.intervals],
        "samples": found.shown,
        "verdict": f"{verdict(found)} Training: {_training(model)}.".strip(),
        "notes": notes,
        "described": found.described,
        "inputs": job["inputs"],
        "benchmarks": job["benchmarks"],
        "options": job["options"],
        "seed": job["seed"],
    }


def _training(model: dict[str, Any]) -> str:
    """Return how the training went; of several adapters, how each did."""
    if verdicts := model.get("verdicts"):
        return "; ".join(f"{name} {verdict}" for name, verdict in verdicts.items())
    return fit_verdict(model["history"])


def _scores(found: Comparison) -> dict[str, Any]:
    return {
        name: {arm: scores.rows for arm, scores in by_arm.items()}
        for name, by_arm in found.scores.items()
    }


def _loss_curve(history: list[dict[str, float]]) -> dict[str, bytes]:
    series = {name: curve for name, curve in curves(history).items() if curve}
    return {"loss_curve": lines(series, "Training", "step", "loss")} if series else {}


def _manifest(folder: str) -> dict[str, Any]:
    return json.loads((Path(folder) / "manifest.json").read_text(encoding="utf-8"))


if __name__ == "__main__":
    run_job(work)
