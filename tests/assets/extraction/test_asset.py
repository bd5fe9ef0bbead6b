from pathlib import Path

import dagster as dg
import pytest

from assets.extraction.asset import build
from assets.extraction.config import ExtractionConfig
from resources.artifact_store import ArtifactStore

KEY = dg.AssetKey(["demo", "raw_documents"])


def build_all(folder: Path, posts: int, tail: str = "") -> list:
    rows = [f"2026-03-{i % 28 + 1:02d},https://l.example/{i},Post {i}" for i in range(posts)]
    text = "\n".join(["Date,ShareLink,ShareCommentary", *rows]) + "\n" + tail
    (folder / "Shares.csv").write_text(text)
    path = folder / "Shares.csv"
    return build(
        "demo",
        ExtractionConfig.model_validate(
            {"source": "linkedin_export", "path": path, "max_unreadable_rate": 0.02}
        ),
    )


def materialize(
    folder: Path, made: list, instance: dg.DagsterInstance
) -> dg.ExecuteInProcessResult:
    store = ArtifactStore(root=str(folder / "store"))
    return dg.materialize(made, instance=instance, resources={"store": store}, raise_on_error=False)


def test_the_asset_publishes_rows_counts_and_a_passed_check(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialize(tmp_path, build_all(tmp_path, 60), instance)
        (event,) = result.asset_materializations_for_node("demo__raw_documents")
        (check,) = result.get_asset_check_evaluations()
    assert event.metadata["documents"].value == 60
    assert {"preview", "text_length", "train", "eval", "test", "duplicates"} <= set(event.metadata)
    folder = Path(str(event.metadata["artifact"].value))
    assert {f.name for f in folder.iterdir()} == {"rows.parquet", "unreadable.parquet"}
    assert check.passed
    assert check.metadata["data_version"].value == (event.tags or {})["dagster/data_version"]


def test_unreadable_rows_over_the_limit_fail_the_check_with_file_and_row(tmp_path: Path) -> None:
    tail = "short\n" * 2
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialize(tmp_path, build_all(tmp_path, 60, tail), instance)
        (check,) = result.get_asset_check_evaluations()
    assert not check.passed
    assert check.blocking
    assert "2 of 62 rows are unreadable, the limit is 2%" in (check.description or "")
    assert "Shares.csv, row 62: the row has 1 of 3 columns" in (check.description or "")


def test_what_is_wrong_with_the_export_is_the_failures_message(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialize(tmp_path, build_all(tmp_path, 5), instance)
    (failure,) = [e for e in result.all_node_events if e.is_step_failure]
    data = failure.step_failure_data
    assert data.user_failure_data is not None
    assert "gave 5 documents, fewer than min_documents 10" in str(
        data.user_failure_data.description
    )
    assert not (tmp_path / "store").exists()


def observe(source: dg.SourceAsset, raise_on_error: bool = True) -> dg.ExecuteInProcessResult:
    job = dg.Definitions(assets=[source]).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(instance=instance, raise_on_error=raise_on_error)


def test_the_export_is_observed_by_its_content(tmp_path: Path) -> None:
    result = observe(build_all(tmp_path, 12)[0])
    (event,) = result.asset_observations_for_node("demo__source_files")
    assert event.metadata["files"].value == 1
    assert (event.tags or {})["dagster/data_version"]


def test_a_missing_export_fails_the_observation_plainly(tmp_path: Path) -> None:
    source = build_all(tmp_path, 12)[0]
    (tmp_path / "Shares.csv").unlink()
    with pytest.raises(dg.Failure, match="put the export there"):
        observe(source)


def test_the_code_version_follows_the_configuration_and_not_the_path(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    first, second = build_all(tmp_path, 12)[1], build_all(tmp_path / "a", 12)[1]
    assert first.code_versions_by_key == second.code_versions_by_key
    config = ExtractionConfig.model_validate(
        {"source": "linkedin_export", "path": tmp_path, "redact": ["phone"]}
    )
    other = build("demo", config)[1]
    assert isinstance(other, dg.AssetsDefinition)
    assert other.code_versions_by_key[KEY] != first.code_versions_by_key[KEY]
