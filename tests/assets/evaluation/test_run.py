import json
from pathlib import Path
from typing import Any

import pytest

from assets.evaluation.run import work
from tests.assets.evaluation.conftest import job_for, make_writer

SFT = ["held_out_loss", "style_profile"]


def run(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    folder.mkdir()
    manifest = work(job, folder, lambda line: None)
    return json.loads(json.dumps(manifest))  # as the launcher reads it


@pytest.fixture(scope="module")
def written(writer: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("written") / "report"
    return run(job_for(writer, SFT), folder), folder


@pytest.fixture(scope="module")
def classified(
    classifier: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("classified") / "report"
    return run(job_for(classifier, ["classification"]), folder), folder


def test_the_manifest_holds_base_and_tuned_by_metric(written: tuple[dict[str, Any], Path]):
    manifest, folder = written
    assert list(manifest["metrics"]) == ["base", "tuned"]
    figures = {arm: metrics["held_out_loss"] for arm, metrics in manifest["metrics"].items()}
    assert figures["tuned"] < figures["base"]
    assert manifest["lower_is_better"] == ["held_out_loss", "bits_per_byte", "style_distance"]
    assert "The tuned model beats the base model in held_out_loss" in manifest["verdict"]
    assert "healthy" in manifest["verdict"]
    assert all(
        (folder / f"{name}.png").read_bytes()[1:4] == b"PNG" for name in manifest["pictures"]
    )


def test_samples_stand_side_by_side(written: tuple[dict[str, Any], Path]):
    manifest, _ = written
    assert len(manifest["samples"]) == 6
    assert set(manifest["samples"][0]) == {"prompt", "reference", "base", "tuned"}
    assert manifest["samples"][0]["prompt"] == "idempotent backfills"
    assert manifest["samples"][0]["base"] != manifest["samples"][0]["tuned"]


def test_every_arm_and_row_keeps_its_score(written: tuple[dict[str, Any], Path]):
    scores = json.loads((written[1] / "scores.json").read_text(encoding="utf-8"))
    assert set(scores["held_out_loss"]) == {"base", "tuned"}
    assert set(scores["style_profile"]) == {"author", "base", "tuned"}
    assert [row["id"] for row in scores["held_out_loss"]["base"]] == [f"r{n}" for n in range(6)]


def test_the_same_job_gives_the_same_bytes(
    writer: Path, written: tuple[dict[str, Any], Path], tmp_path: Path
):
    again = run(job_for(writer, SFT), tmp_path / "again")
    assert again["scores_hash"] == written[0]["scores_hash"]
    for name in ("scores.json", "report.html", "loss_by_row.png", "style.png"):
        assert (tmp_path / "again" / name).read_bytes() == (written[1] / name).read_bytes()


def test_a_classifier_is_held_against_the_baseline(classified: tuple[dict[str, Any], Path]):
    manifest, _ = classified
    assert list(manifest["metrics"]) == ["base", "baseline", "tuned"]
    assert manifest["metrics"]["baseline"]["roc_auc"] == 1.0
    assert "does not beat the baseline in roc_auc" in manifest["verdict"]
    assert {i["against"] for i in manifest["intervals"]} == {"base", "baseline"}


def test_a_classifiers_probabilities_do_not_depend_on_the_batch(classifier: Path, tmp_path: Path):
    found = []
    for size in (1, 4):
        options = {"classification": {"classification_batch_size": size}}
        job = job_for(classifier, ["classification"], options=options)
        run(job, tmp_path / str(size))
        scores = json.loads((tmp_path / str(size) / "scores.json").read_text(encoding="utf-8"))
        rows = scores["classification"]["tuned"]
        found.append([p for row in rows for p in row["probabilities"]])
    assert found[0] == pytest.approx(found[1], abs=1e-5)


@pytest.mark.parametrize("which", ["written", "classified"])
def test_a_strangers_markup_is_shown_and_never_run(which: str, request: pytest.FixtureRequest):
    _, folder = request.getfixturevalue(which)
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script" not in html
    assert "<a " not in html and "href" not in html


def test_what_was_forgotten_is_read_off_sentences_of_no_pipeline(
    writer: Path, tmp_path: Path
) -> None:
    manifest = run(job_for(writer, ["forgetting"]), tmp_path / "out")
    figures = {arm: found["general_bits_per_byte"] for arm, found in manifest["metrics"].items()}
    assert figures["tuned"] != figures["base"] and min(figures.values()) > 0
    assert manifest["gate_metric"] is None


def test_masking_of_rows_that_mask_nothing_is_refused(writer: Path, tmp_path: Path) -> None:
    posts = [("same text", "same text"), ("other words", "other words")]
    root = make_writer(tmp_path / "copies", ["same"], posts=posts)
    (tmp_path / "out").mkdir()
    with pytest.raises(ValueError, match="0 words are masked and 12 are not: the benchmark"):
        work(job_for(root, ["masking"]), tmp_path / "out", lambda line: None)


def test_the_champion_is_an_arm_of_its_own(writer: Path, tmp_path: Path):
    champion = {"champion_dir": str(writer / "model"), "champion_version": "3"}
    manifest = run(job_for(writer, ["held_out_loss"], **champion), tmp_path / "out")
    assert manifest["metrics"]["champion"] == manifest["metrics"]["tuned"]
    assert manifest["champion_version"] == "3"


def test_a_champion_of_another_objective_is_left_out_and_said_so(
    writer: Path, classifier: Path, tmp_path: Path
):
    champion = {"champion_dir": str(classifier / "model"), "champion_version": "3"}
    manifest = run(job_for(writer, ["held_out_loss"], **champion), tmp_path / "out")
    assert "champion" not in manifest["metrics"]
    assert manifest["champion_version"] is None
    assert manifest["notes"][0].startswith("Champion 3 is left out: it has rows 'text'")


def test_without_a_history_the_verdict_says_that_it_cannot_know(tmp_path: Path):
    root = make_writer(tmp_path, ["few words"])
    path = root / "model" / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8")) | {"history": []}
    path.write_text(json.dumps(content), encoding="utf-8")
    manifest = run(job_for(root, ["held_out_loss"]), tmp_path / "out")
    assert "unknown: eval loss was read 0 times" in manifest["verdict"]
    assert manifest["pictures"] == ["loss_by_row"]
