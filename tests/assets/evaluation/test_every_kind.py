"""Every kind of rows and model is measured by the benchmarks that suit it, in one whole run."""

import json
from pathlib import Path
from typing import Any

import pytest

from assets.discovery import find, names
from assets.evaluation.benchmarks import preferences, retrieval, token_labels
from assets.evaluation.config import BENCHMARKS, EvaluationConfig
from assets.evaluation.run import work
from assets.questions import question_of
from tests.assets.evaluation.conftest import job_for
from tests.assets.evaluation.judged import OBJECTIVES, make_judged
from tests.assets.evaluation.test_run import run

FINETUNED = "assets.finetuning.objectives"


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: make_judged(tmp_path_factory.mktemp(name), name) for name in OBJECTIVES}


def judge(root: Path, folder: Path, **more: Any) -> dict[str, Any]:
    manifest = json.loads((root / "model" / "manifest.json").read_text(encoding="utf-8"))
    options = EvaluationConfig().suited(question_of(manifest))
    return run(job_for(root, list(options), **{"options": options, **more}), folder)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_it_is_measured_beside_base_champion_and_baseline_and_names_its_gate(
    roots: dict[str, Path], objective: str, tmp_path: Path
) -> None:
    champion = {"champion_dir": str(roots[objective] / "model"), "champion_version": "3"}
    manifest = judge(roots[objective], tmp_path / "out", **champion)
    gate = manifest["gate_metric"]
    assert {"base", "tuned", "champion"} <= set(manifest["metrics"])
    assert manifest["metrics"]["champion"][gate] == manifest["metrics"]["tuned"][gate]
    assert manifest["directions"][gate] in ("higher", "lower")
    assert "The tuned model" in manifest["verdict"]
    judged = {i["against"] for i in manifest["intervals"] if i["metric"] == gate}
    assert {"base", "champion"} <= judged
    if objective != "causal_lm":
        assert gate in manifest["metrics"]["baseline"]
        assert manifest["samples"] and set(manifest["samples"][0]) >= {"prompt", "base", "tuned"}
    assert "nan" not in json.dumps(manifest["metrics"]).lower()
    assert (tmp_path / "out" / "report.html").exists() and manifest["pictures"]


@pytest.mark.parametrize("objective", names(FINETUNED))
def test_every_objective_has_a_benchmark_by_default_and_a_metric_for_the_gate(
    objective: str,
) -> None:
    module = find(FINETUNED, objective)
    asked = question_of({"labels": None, "examples": module.EXAMPLES, "model_kind": module.MODEL})
    chosen = EvaluationConfig().suited(asked)
    assert [name for name in chosen if find(BENCHMARKS, name).GATE]


def test_the_preferred_answer_is_above_and_a_tie_counts_half() -> None:
    rows: Any = [{"chosen": 1.0, "rejected": 0.0}, {"chosen": 2.0, "rejected": 2.0}]
    assert preferences.headline(rows) == 0.75
    assert preferences.beside_base(rows, rows) == {}


def test_an_implicit_reward_is_what_tuning_added() -> None:
    tuned: Any = [{"chosen_total": -9.0, "rejected_total": -6.0}]
    base: Any = [{"chosen_total": -20.0, "rejected_total": -8.0}]
    assert preferences.beside_base(tuned, base) == {"implicit_reward_accuracy": 1.0}


def test_f1_counts_whole_entities_over_all_rows() -> None:
    rows: Any = [
        {"wanted_count": 2, "found_count": 1, "right_count": 1},
        {"wanted_count": 0, "found_count": 1, "right_count": 0},
    ]
    assert token_labels.headline(rows) == 0.5


def test_a_right_text_below_the_tenth_counts_nothing() -> None:
    rows: Any = [{"rank": 2.0}, {"rank": 11.0}]
    assert retrieval.headline(rows) == 0.25


def test_a_test_split_without_an_entity_is_refused(roots: dict[str, Path], tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    root = make_judged(tmp_path / "root", "classify_tokens")
    path = root / "examples" / "rows.parquet"
    rows = pq.read_table(path).to_pylist()
    outside = json.loads((root / "examples" / "template.json").read_text())["labels"].index("O")
    for row in rows:
        row["labels"] = [outside] * len(row["labels"])
    pq.write_table(pa.Table.from_pylist(rows), path)
    (tmp_path / "out").mkdir()
    with pytest.raises(ValueError, match="hold no labelled token: raise extraction.split.test"):
        work(job_for(root, ["token_labels"]), tmp_path / "out", lambda line: None)
