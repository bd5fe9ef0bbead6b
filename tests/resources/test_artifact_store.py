from pathlib import Path

import dagster as dg
import pytest

from resources.artifact_store import ArtifactStore

KEY = dg.AssetKey(["writer", "raw_documents"])
ROWS = [
    {"id": "a", "metadata": {"date": "2026", "label": None}},
    {"id": "b", "metadata": {"date": "2027", "label": "x"}},
]


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(root=str(tmp_path / "artifacts"))


def test_rows_come_back_as_they_went_in(store: ArtifactStore) -> None:
    artifact = store.publish_rows(KEY, "v1", rows=ROWS, unreadable=[])
    assert artifact.rows() == ROWS
    assert artifact.rows("unreadable") == []


def test_the_same_rows_give_the_same_bytes(store: ArtifactStore) -> None:
    first, second = (store.publish_rows(KEY, v, rows=ROWS).path / "rows.parquet" for v in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_a_version_that_stands_is_not_written_again(store: ArtifactStore) -> None:
    before = (store.publish_rows(KEY, "v1", rows=ROWS).path / "rows.parquet").stat()
    after = (store.publish_rows(KEY, "v1", rows=ROWS).path / "rows.parquet").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_failed_write_leaves_nothing(store: ArtifactStore) -> None:
    with pytest.raises(Exception, match="object"):
        store.publish_rows(KEY, "v1", rows=[{"id": object()}])
    assert list(Path(store.root).rglob("*.parquet")) == []
    assert not store.folder(KEY, "v1").exists()


@pytest.mark.parametrize("name", ["..", "a/b", "", ".hidden"])
def test_a_name_that_leaves_the_store_is_refused(store: ArtifactStore, name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a folder of the store"):
        store.folder(KEY, name)


def test_an_asset_that_was_never_made_says_what_to_do(store: ArtifactStore) -> None:
    context = dg.build_asset_context(instance=dg.DagsterInstance.ephemeral())
    with pytest.raises(dg.Failure, match="writer/raw_documents has never been materialized"):
        store.latest(context, KEY)


def test_files_that_are_gone_say_what_to_do(store: ArtifactStore) -> None:
    @dg.asset(key=KEY)
    def made():
        artifact = store.publish_rows(KEY, "v1", rows=ROWS)
        (artifact.path / "rows.parquet").unlink()
        artifact.path.rmdir()
        return artifact.result(rows=2)

    instance = dg.DagsterInstance.ephemeral()
    dg.materialize([made], instance=instance)
    with pytest.raises(dg.Failure, match="are gone from .*: materialize it again"):
        store.latest(dg.build_asset_context(instance=instance), KEY)
