import re
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from assets.records import Sample, content_hash, to_rows
from assets.validation.asset import build
from assets.validation.config import ValidationConfig
from resources.artifact_store import Artifact, ArtifactStore
from tests.assets.validation.samples import mails, posts, sample

CHECKS = {"great_expectations", "reject_rate", "leakage"}


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(root=str(tmp_path / "artifacts"))


def test_good_samples_pass_and_what_depends_on_them_runs(store: ArtifactStore) -> None:
    result = _run(store, mails())
    assert result.success
    assert {e.check_name for e in result.get_asset_check_evaluations() if e.passed} == CHECKS
    assert _metadata(result, "validated_samples").items() >= {
        ("rows", 15), ("rows_train", 9), ("rows_eval", 3), ("rows_test", 3),
        ("label_safe", 10), ("label_phishing", 5),
    }  # fmt: skip
    assert _metadata(result, "rejected_samples")["rows"] == 0
    assert _ran(result, "training_examples")


def test_rejected_samples_are_kept_counted_and_shown_with_their_reason(
    store: ArtifactStore,
) -> None:
    result = _run(store, [*posts(), sample("short", prompt="p", completion="Yes")])
    assert _metadata(result, "rejected_samples").items() >= {
        ("rows", 1), ("rejected_length", 1), ("reject_rate", 1 / 16),
    }  # fmt: skip
    (event,) = result.asset_materializations_for_node("demo_validation")[1:]
    (record,) = event.metadata["preview"].value.records  # type: ignore[union-attr]
    assert record.data["reason"] == "1 words, at least 2 needed"


def test_a_failing_suite_blocks_what_comes_after_it_and_links_its_data_docs(
    store: ArtifactStore,
) -> None:
    result = _run(store, [replace(m, fields={**m.fields, "label": "safe"}) for m in mails()])
    check = _check(result, "great_expectations")
    assert not result.success and not _ran(result, "training_examples")
    assert "- label: train holds two classes or more" in str(check.description)
    link = str(check.metadata["data_docs"].value)
    assert link == _metadata(result, "validated_samples")["data_docs"]
    index = Path(store.root) / re.sub(r"^http://[^/]+/", "", link)
    assert "train holds two classes or more" in index.read_text(encoding="utf-8")


def test_fewer_than_ten_samples_block_with_their_number(store: ArtifactStore) -> None:
    result = _run(store, posts(6))
    assert "at least 10 samples" in str(_check(result, "great_expectations").description)
    assert not _ran(result, "training_examples")


def test_a_disallowed_label_is_kept_with_its_reason_and_too_many_block(
    store: ArtifactStore,
) -> None:
    result = _run(store, mails(), labels=["safe", "phising"])
    check = _check(result, "reject_rate")
    assert check.description == "5 of 15 samples rejected (33%; allowed: 30%): label_in_set 5"
    assert not check.passed and not _ran(result, "training_examples")
    assert _run(store, mails(), labels=["safe", "phising"], max_reject_rate=0.5).success is False


def test_a_text_in_two_splits_blocks_where_the_rule_was_left_out(store: ArtifactStore) -> None:
    rows = [*posts(), replace(posts()[0], id="copy", split="test")]
    result = _run(store, rows, rules=["length"])
    check = _check(result, "leakage")
    assert not check.passed and not _ran(result, "training_examples")
    assert "- group g-p00 is in train and test" in str(check.description)
    assert "- train and test hold the same text" in str(check.description)


def test_every_sample_rejected_blocks_and_nothing_breaks(store: ArtifactStore) -> None:
    result = _run(store, posts(), rules=[{"length": {"min_words": 1000}}])
    assert not _check(result, "reject_rate").passed
    assert not _check(result, "great_expectations").passed
    assert _metadata(result, "validated_samples")["rows"] == 0


def test_every_check_says_which_version_it_looked_at(store: ArtifactStore) -> None:
    result = _run(store, posts())
    seen = {str(e.metadata["data_version"].value) for e in result.get_asset_check_evaluations()}
    assert seen == {content_hash(to_rows(posts()))}


def test_the_same_samples_give_the_same_bytes_and_a_changed_option_another_code_version(
    store: ArtifactStore, tmp_path: Path
) -> None:
    again = ArtifactStore(root=str(tmp_path / "again"))
    assert _bytes(_run(store, posts())) == _bytes(_run(again, posts()))
    default, changed = (
        build("demo", ValidationConfig.model_validate(section))[0].specs_by_key
        for section in ({}, {"max_reject_rate": 0.1})
    )
    key = dg.AssetKey(["demo", "validated_samples"])
    assert default[key].code_version != changed[key].code_version


def _run(
    store: ArtifactStore, samples: list[Sample], **section: object
) -> dg.ExecuteInProcessResult:
    """Materialize the room between a teacher that made `samples` and a stage that comes after."""
    rows = to_rows(samples)

    @dg.asset(key=["demo", "teacher_samples"])
    def teacher_samples(store: ArtifactStore) -> dg.MaterializeResult:
        key = dg.AssetKey(["demo", "teacher_samples"])
        return store.publish_rows(key, content_hash(rows), rows=rows).result()

    @dg.asset(key=["demo", "training_examples"], deps=[["demo", "validated_samples"]])
    def training_examples() -> None:
        return None

    room = build("demo", ValidationConfig.model_validate(section))
    return dg.materialize(
        [teacher_samples, *room, training_examples],
        instance=dg.DagsterInstance.ephemeral(),
        resources={"store": store},
        raise_on_error=False,
    )


def _metadata(result: dg.ExecuteInProcessResult, name: str) -> dict[str, object]:
    (event,) = (
        e for e in result.asset_materializations_for_node("demo_validation")
        if e.asset_key.path[-1] == name
    )  # fmt: skip
    return {key: value.value for key, value in event.metadata.items() if key != "preview"}


def _check(result: dg.ExecuteInProcessResult, name: str) -> dg.AssetCheckEvaluation:
    return next(e for e in result.get_asset_check_evaluations() if e.check_name == name)


def _ran(result: dg.ExecuteInProcessResult, name: str) -> bool:
    events = result.get_asset_materialization_events()
    return any(e.asset_key is not None and e.asset_key.path[-1] == name for e in events)


def _bytes(result: dg.ExecuteInProcessResult) -> list[bytes]:
    folder = Path(str(_metadata(result, "validated_samples")["artifact"]))
    return [Artifact(dg.AssetKey("x"), "", folder).path.joinpath("rows.parquet").read_bytes()]
