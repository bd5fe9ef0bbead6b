"""validated_samples and rejected_samples: what may be learnt from, and what not, and why."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg

from assets.records import Sample, content_hash, to_rows
from assets.validation.config import ValidationConfig
from assets.validation.expectations import suite
from assets.validation.gate import Gated, gate
from assets.validation.leakage import leaks
from assets.validation.suite_run import run_suite
from resources.artifact_store import Artifact, ArtifactStore
from resources.check_records import blocking_result
from resources.presentation import file_link, table_preview

VERSION = "1"  # raise it when the same configuration parts the samples in another way
MAX_LISTED = 10  # lines of a check's description


def build(pipeline: str, config: ValidationConfig) -> list[dg.AssetsDefinition]:
    """Return the assets and checks of this room for one pipeline."""
    return [
        _samples(pipeline, config),
        _great_expectations(pipeline, config),
        _reject_rate(pipeline, config),
        _leakage(pipeline, config),
    ]


def _samples(pipeline: str, config: ValidationConfig) -> dg.AssetsDefinition:
    teacher_samples, validated, rejected = (
        dg.AssetKey([pipeline, name])
        for name in ("teacher_samples", "validated_samples", "rejected_samples")
    )
    version = content_hash([VERSION, config.model_dump(mode="json"), config.versions()])

    def spec(key: dg.AssetKey, description: str) -> dg.AssetSpec:
        return dg.AssetSpec(
            key,
            deps=[teacher_samples],
            kinds={"parquet"},
            code_version=version,
            description=description,
        )

    @dg.multi_asset(
        name=f"{pipeline}_validation",
        specs=[
            spec(validated, "The samples that pass every rule."),
            spec(rejected, "The samples that broke a rule, whole, with the rule and the reason."),
        ],
    )
    def validated_and_rejected(
        context: dg.AssetExecutionContext, store: ArtifactStore
    ) -> Iterator[dg.MaterializeResult]:
        made = gate(_read(store.latest(context, teacher_samples)), config)
        rows = to_rows(made.validated)
        artifact = store.publish_rows(validated, content_hash(rows), rows=rows)
        docs = file_link(_data_docs(store, pipeline, artifact.version, config) / "index.html")
        yield artifact.result(**_validated_metadata(made.validated), data_docs=docs)
        rows = to_rows(made.rejected)
        artifact = store.publish_rows(rejected, content_hash(rows), rows=rows)
        yield artifact.result(**_rejected_metadata(made))

    return validated_and_rejected


def _great_expectations(pipeline: str, config: ValidationConfig) -> dg.AssetChecksDefinition:
    key = dg.AssetKey([pipeline, "validated_samples"])

    @dg.asset_check(asset=key, blocking=True, description="The set meets every expectation.")
    def great_expectations(
        context: dg.AssetCheckExecutionContext, store: ArtifactStore
    ) -> dg.AssetCheckResult:
        artifact = store.latest(context, key)
        samples = _read(artifact)
        found = run_suite(pipeline, samples, suite(samples, config))
        docs = _data_docs(store, pipeline, artifact.version, config)
        with TemporaryDirectory() as folder:
            Path(folder, "index.html").write_text(found.html, encoding="utf-8")
            store.publish_files(dg.AssetKey([pipeline, "data_docs"]), docs.name, Path(folder))
        return blocking_result(
            not found.failures,
            artifact.version,
            _listed(found.failures, f"all {found.expectations} expectations met"),
            expectations=found.expectations,
            failed=len(found.failures),
            data_docs=file_link(docs / "index.html"),
        )

    return great_expectations


def _reject_rate(pipeline: str, config: ValidationConfig) -> dg.AssetChecksDefinition:
    key = dg.AssetKey([pipeline, "validated_samples"])
    rejected_key = dg.AssetKey([pipeline, "rejected_samples"])

    @dg.asset_check(
        asset=key, blocking=True, description=f"At most {config.max_reject_rate:.0%} are rejected."
    )
    def reject_rate(
        context: dg.AssetCheckExecutionContext, store: ArtifactStore
    ) -> dg.AssetCheckResult:
        artifact = store.latest(context, key)
        rejected = [str(row["rule"]) for row in store.latest(context, rejected_key).rows()]
        total = len(rejected) + len(artifact.rows())
        rate = len(rejected) / total if total else 0.0
        causes = ", ".join(f"{rule} {count}" for rule, count in Counter(rejected).most_common())
        return blocking_result(
            rate <= config.max_reject_rate,
            artifact.version,
            f"{len(rejected)} of {total} samples rejected ({rate:.0%}; allowed: "
            f"{config.max_reject_rate:.0%})" + (f": {causes}" if causes else ""),
            reject_rate=rate,
        )

    return reject_rate


def _leakage(pipeline: str, config: ValidationConfig) -> dg.AssetChecksDefinition:
    key = dg.AssetKey([pipeline, "validated_samples"])

    @dg.asset_check(asset=key, blocking=True, description="No text or group is in two splits.")
    def leakage(
        context: dg.AssetCheckExecutionContext, store: ArtifactStore
    ) -> dg.AssetCheckResult:
        artifact = store.latest(context, key)
        found = leaks(_read(artifact), config.leakage_threshold)
        return blocking_result(
            not found,
            artifact.version,
            _listed(found, "train, eval and test share no group and no text"),
            leaks=len(found),
        )

    return leakage


def _read(artifact: Artifact) -> list[Sample]:
    return [Sample.from_row(row) for row in artifact.rows()]


def _data_docs(store: ArtifactStore, pipeline: str, version: str, config: ValidationConfig) -> Path:
    """Return the folder of the Data Docs of this data under this configuration."""
    docs_version = content_hash([VERSION, version, config.model_dump(mode="json")])
    return store.folder(dg.AssetKey([pipeline, "data_docs"]), docs_version)


def _listed(problems: Sequence[str], fine: str) -> str:
    if not problems:
        return fine
    lines = [f"- {problem}" for problem in problems[:MAX_LISTED]]
    more = [f"- and {len(problems) - MAX_LISTED} more"] if len(problems) > MAX_LISTED else []
    return "\n".join([*lines, *more])


def _validated_metadata(samples: Sequence[Sample]) -> dict[str, int | dg.TableMetadataValue]:
    splits = Counter(f"rows_{sample.split}" for sample in samples)
    labels = Counter(f"label_{s.fields['label']}" for s in samples if "label" in s.fields)
    preview = table_preview([{"split": s.split, **s.fields} for s in samples[:5]])
    return {"rows": len(samples), **splits, **labels, "preview": preview}


def _rejected_metadata(made: Gated) -> dict[str, int | float | dg.TableMetadataValue]:
    total = len(made.validated) + len(made.rejected)
    rows = [{"rule": r.rule, "reason": r.reason, **r.fields} for r in made.rejected[:5]]
    return {
        "rows": len(made.rejected),
        "reject_rate": len(made.rejected) / total if total else 0.0,
        **made.counts(),
        "preview": table_preview(rows),
    }
