"""Where every asset keeps what it made: one folder a version, renamed into place, never changed.

<root>/linkedin_writer/raw_documents/9c1f…/rows.parquet, unreadable.parquet
<root>/linkedin_writer/fine_tuned_model/71ab…/manifest.json, model/…
"""

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import dagster as dg

Rows = Sequence[Mapping[str, object]]
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Artifact:
    """One published version of one asset."""

    key: dg.AssetKey
    version: str  # the asset's data version
    path: Path

    def rows(self, table: str = "rows") -> list[dict[str, Any]]:
        """Return the rows of one of the artifact's tables."""
        import pyarrow.parquet as pq

        return pq.read_table(self.path / f"{table}.parquet").to_pylist()

    def json(self, name: str) -> Any:
        """Return the content of one of the artifact's JSON files."""
        return json.loads((self.path / name).read_text(encoding="utf-8"))

    def result(self, **metadata: Any) -> dg.MaterializeResult:
        """Return the materialization that names this artifact as the asset's newest version."""
        return dg.MaterializeResult(
            asset_key=self.key,
            data_version=dg.DataVersion(self.version),
            metadata={**metadata, "artifact": dg.MetadataValue.path(str(self.path))},
        )


class ArtifactStore(dg.ConfigurableResource):
    """Folders under `root`; a version that stands is returned, not written again."""

    root: str

    def folder(self, key: dg.AssetKey, name: str) -> Path:
        """Return where the version `name` of an asset lives; refuses names that leave the store."""
        for part in (*key.path, name):
            if not _SAFE_NAME.fullmatch(part):
                raise ValueError(
                    f"{part!r} cannot name a folder of the store: use letters, digits, _ . -"
                )
        return Path(self.root).resolve().joinpath(*key.path, name)

    def publish_rows(self, key: dg.AssetKey, version: str, **tables: Rows) -> Artifact:
        """Write the tables as Parquet (the same rows give the same bytes) under `version`."""
        target = self.folder(key, version)
        if not target.exists():
            with _written_aside(target) as aside:
                for name, rows in tables.items():
                    _write_parquet(rows, aside / f"{name}.parquet")
        return Artifact(key, version, target)

    def publish_files(
        self, key: dg.AssetKey, version: str, source: Path, **tables: Rows
    ) -> Artifact:
        """Publish a copy of the folder `source`, with the tables beside its files."""
        target = self.folder(key, version)
        if not target.exists():
            with _written_aside(target) as aside:
                shutil.copytree(source, aside, dirs_exist_ok=True)
                for name, rows in tables.items():
                    _write_parquet(rows, aside / f"{name}.parquet")
        return Artifact(key, version, target)

    def latest(
        self, context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext, key: dg.AssetKey
    ) -> Artifact:
        """Return the newest materialized version of an asset; a dg.Failure says what to run."""
        event = context.instance.get_latest_materialization_event(key)
        name = key.to_user_string()
        if event is None or event.asset_materialization is None:
            raise dg.Failure(f"{name} has never been materialized: materialize it first")
        materialization = event.asset_materialization
        path = Path(str(materialization.metadata["artifact"].value))
        if not path.exists():
            raise dg.Failure(f"the files of {name} are gone from {path}: materialize it again")
        version = (materialization.tags or {})["dagster/data_version"]
        return Artifact(key, version, path)


@contextmanager
def _written_aside(target: Path) -> Iterator[Path]:
    """Yield a fresh folder beside `target` and rename it there when the block succeeds."""
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield aside
        aside.chmod(0o755)
        try:
            os.rename(aside, target)
        except OSError:
            if not target.exists():  # otherwise another process published the same version
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _write_parquet(rows: Rows, path: Path) -> None:
    from datasets import Dataset, disable_progress_bars

    disable_progress_bars()
    Dataset.from_list([dict(row) for row in rows]).to_parquet(path)
