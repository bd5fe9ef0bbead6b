"""source_files and raw_documents: the export as it lies on the disk, then as clean documents."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from assets.charts import histogram
from assets.extraction.config import ExtractionConfig
from assets.extraction.extract import extract, unreadable_rate
from assets.extraction.fingerprint import fingerprint
from assets.records import content_hash, to_rows
from resources.artifact_store import ArtifactStore
from resources.check_records import blocking_result
from resources.presentation import picture, table_preview

VERSION = "2"  # raise it when the same configuration makes other rows
# Who keeps this key secret keeps names from being tried against the pseudonyms.
PSEUDONYM_KEY = "TUNELINE_PSEUDONYM_KEY"


def build(
    pipeline: str, config: ExtractionConfig
) -> list[dg.AssetsDefinition | dg.SourceAsset | dg.AssetChecksDefinition]:
    """Return the assets and checks of this room for one pipeline."""
    key = dg.AssetKey([pipeline, "raw_documents"])
    return [
        _source_files(pipeline, config),
        _raw_documents(pipeline, key, config),
        _unreadable_rows(key, config),
    ]


@contextmanager
def _said_plainly() -> Iterator[None]:
    """What is wrong with the export becomes the step's message; a retry would find the same."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise dg.Failure(str(error), allow_retries=False) from error


def _source_files(pipeline: str, config: ExtractionConfig) -> dg.SourceAsset:
    @dg.observable_source_asset(
        key=[pipeline, "source_files"],
        group_name=pipeline,
        description=f"The raw export that {config.source} reads: {config.path.name}.",
    )
    def source_files() -> dg.ObserveResult:
        with _said_plainly():
            seen = fingerprint(config.path)
        return dg.ObserveResult(
            data_version=dg.DataVersion(seen.version),
            metadata={
                "files": seen.files,
                "bytes": seen.bytes,
                "last_changed": dg.MetadataValue.timestamp(seen.changed),
            },
        )

    return source_files


def _raw_documents(
    pipeline: str, key: dg.AssetKey, config: ExtractionConfig
) -> dg.AssetsDefinition:
    @dg.asset(
        key=key,
        deps=[[pipeline, "source_files"]],
        kinds={config.source, "parquet"},
        code_version=content_hash([VERSION, config.model_dump(mode="json", exclude={"path"})]),
        description="One row a document: normalised, deduplicated, pseudonymised, split by group.",
    )
    def raw_documents(store: ArtifactStore) -> dg.MaterializeResult:
        with _said_plainly():
            made = extract(config, os.environ.get(PSEUDONYM_KEY, ""))
        rows, unreadable = to_rows(made.documents), [row.to_row() for row in made.unreadable]
        version = content_hash([rows, unreadable])
        artifact = store.publish_rows(key, version, rows=rows, unreadable=unreadable)
        words = [len(document.text.split()) for document in made.documents]
        return artifact.result(
            **made.counts,
            preview=table_preview(rows),
            text_length=picture(histogram(words, "Words a document", "words")),
        )

    return raw_documents


def _unreadable_rows(key: dg.AssetKey, config: ExtractionConfig) -> dg.AssetChecksDefinition:
    limit = config.max_unreadable_rate

    @dg.asset_check(asset=key, blocking=True, description="Unreadable rows stay under the limit.")
    def unreadable_rows(
        context: dg.AssetCheckExecutionContext, store: ArtifactStore
    ) -> dg.AssetCheckResult:
        artifact = store.latest(context, key)
        bad, good = artifact.rows("unreadable"), len(artifact.rows())
        rate = unreadable_rate(good, len(bad))
        says = f"{len(bad)} of {good + len(bad)} rows are unreadable, the limit is {limit:.0%}"
        if bad:
            first = bad[0]
            says += f". First: {first['file']}, row {first['row']}: {first['reason']}"
        if rate > limit:
            says += ". Mend the export, or raise extraction.max_unreadable_rate"
        return blocking_result(
            rate <= limit,
            artifact.version,
            says,
            unreadable_rate=rate,
            unreadable=table_preview(bad),
        )

    return unreadable_rows
