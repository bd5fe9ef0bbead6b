"""teacher_samples: what the teacher, or the task's offline method, made of the documents."""

import os
from collections.abc import Callable, Container, Mapping
from functools import partial

import dagster as dg

from assets.records import Document, content_hash, to_rows
from assets.teacher.budget import Budget, OverBudget, Price, price_of
from assets.teacher.config import TeacherConfig
from assets.teacher.privacy import Personal
from assets.teacher.production import Production, produce
from assets.teacher.tokens import TokenCounter, counter_of
from resources.artifact_store import Artifact, ArtifactStore
from resources.chat_request import Sampling
from resources.check_records import blocking_result
from resources.presentation import table_preview
from resources.teacher_connection import TeacherConnection
from resources.teacher_model import TeacherModel

VERSION = "2"  # raise it when the same configuration makes other samples
PSEUDONYM_KEY = "TUNELINE_PSEUDONYM_KEY"
MAX_LISTED = 10  # lines of a check's description

Say = Callable[[str], None]
Asset = dg.AssetsDefinition | dg.AssetChecksDefinition


class _Desk:
    """The teachers at the endpoint that the environment names."""

    def __init__(self, config: TeacherConfig, teacher_model: TeacherModel, say: Say):
        self.config = config
        self.teacher_model = teacher_model
        self.say = say
        self.replay = config.mode == "replay"
        self.endpoint = teacher_model.endpoint(config.model or "", self.replay)

    def price(self, model: str) -> Price:
        own = model == self.config.model
        given = self.config.price_per_million if own else None
        batch = own and self.config.mode == "batch"
        return price_of(model, self.endpoint.at_openai, given, batch)

    def tokens(self, model: str) -> TokenCounter:
        return counter_of(model, self.endpoint.at_openai)

    def connect(self, model: str, budget: Budget) -> TeacherConnection:
        return self.teacher_model.connect(
            endpoint=self.endpoint,
            model=model,
            sampling=Sampling(self.config.temperature, self.config.max_output_tokens),
            timeout_seconds=self.config.timeout_seconds,
            cost=budget.price.cost_usd,
            purse=budget,
            max_concurrency=self.config.max_concurrency,
            replay=self.replay,
            batch_poll_seconds=self.config.batch_poll_seconds,
            say=self.say,
        )


def build(pipeline: str, config: TeacherConfig) -> list[Asset]:
    """Return the asset and the checks of this room for one pipeline."""
    key = dg.AssetKey([pipeline, "teacher_samples"])
    raw_documents = dg.AssetKey([pipeline, "raw_documents"])
    return [
        _samples(key, raw_documents, config),
        _failure_rate(key, config),
        *([_audit(key, config), _privacy(key, raw_documents, config)] if config.task else []),
    ]


def _samples(
    key: dg.AssetKey, raw_documents: dg.AssetKey, config: TeacherConfig
) -> dg.AssetsDefinition:
    @dg.asset(
        key=key,
        deps=[raw_documents],
        kinds={"openai" if config.model else "python", "parquet"},
        code_version=content_hash([VERSION, config.decides()]),
        description=_description(config),
    )
    def teacher_samples(
        context: dg.AssetExecutionContext, store: ArtifactStore, teacher_model: TeacherModel
    ) -> dg.MaterializeResult:
        rows = store.latest(context, raw_documents).rows()
        documents = [Document.from_row(row) for row in rows]
        secret = os.environ.get(PSEUDONYM_KEY, "")
        try:
            say = context.log.info
            desk = partial(_Desk, config, teacher_model, say)
            made = produce(config, documents, desk, secret, say)
        except (OverBudget, ValueError) as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        return _published(key, store, made, len(rows))

    return teacher_samples


def _published(
    key: dg.AssetKey, store: ArtifactStore, made: Production, documents: int
) -> dg.MaterializeResult:
    generation, audit = made.generation, made.audit
    samples, failed = to_rows(generation.samples), [row.to_row() for row in generation.failed]
    if not samples:
        reasons = sorted({row.reason for row in generation.failed})[:3]
        raise dg.Failure(f"no sample came of {documents} documents: {'; '.join(reasons)}")
    artifact = store.publish_rows(
        key,
        content_hash([samples, failed]),
        rows=samples,
        failed=failed,
        requests=[row.to_row() for row in generation.requests],
        audited=[{"sample_id": row.sample.id} for row in audit.rows],
        faults=[fault.to_row() for fault in audit.faults],
    )
    return artifact.result(
        samples=len(samples),
        failed=len(failed),
        **made.metadata(),
        preview=table_preview([_shown(row) for row in samples[:5]]),
        failures=table_preview(failed),
        faults=table_preview([fault.to_row() for fault in audit.faults]),
    )


def _failure_rate(key: dg.AssetKey, config: TeacherConfig) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=key, blocking=True, description="The documents without a sample stay under the limit."
    )
    def failure_rate(
        context: dg.AssetCheckExecutionContext, store: ArtifactStore
    ) -> dg.AssetCheckResult:
        artifact = store.latest(context, key)
        failed, samples = len(artifact.rows("failed")), len(artifact.rows())
        rate = failed / (failed + samples)
        return blocking_result(
            rate <= config.max_failure_rate,
            artifact.version,
            f"{failed} of {failed + samples} documents ({rate:.1%}) gave no sample; allowed: "
            f"{config.max_failure_rate:.1%}. Reasons are in the table `failed` of {artifact.path}",
            failure_rate=rate,
        )

    return failure_rate


def _audit(key: dg.AssetKey, config: TeacherConfig) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=key, blocking=True, description="Of the samples looked at, few enough have a fault."
    )
    def teacher_audit(
        context: dg.AssetCheckExecutionContext, store: ArtifactStore
    ) -> dg.AssetCheckResult:
        artifact = store.latest(context, key)
        audited, faults = len(artifact.rows("audited")), artifact.rows("faults")
        faulty = len({fault["sample_id"] for fault in faults})
        rate = faulty / max(1, audited)
        says = f"{faulty} of {audited} audited samples ({rate:.1%}) have a fault; allowed: "
        listed = [f"{f['sample_id']} ({f['by']}): {f['reason']}" for f in faults[:MAX_LISTED]]
        return blocking_result(
            rate <= config.max_fault_rate,
            artifact.version,
            "\n".join([f"{says}{config.max_fault_rate:.1%}", *listed]),
            fault_rate=rate,
            faults=table_preview(faults),
        )

    return teacher_audit


def _privacy(
    key: dg.AssetKey, raw_documents: dg.AssetKey, config: TeacherConfig
) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=key,
        blocking=True,
        description="No request holds an address, number or name of the document it is about.",
    )
    def privacy(
        context: dg.AssetCheckExecutionContext, store: ArtifactStore
    ) -> dg.AssetCheckResult:
        artifact = store.latest(context, key)
        documents = {str(row["id"]): row for row in store.latest(context, raw_documents).rows()}
        found = _leaks(artifact, documents, config.fixed_messages())
        requests = len(artifact.rows("requests"))
        listed = [f"request {request}: {kind}" for request, kind in sorted(found.items())]
        return blocking_result(
            not found,
            artifact.version,
            "\n".join([f"{len(found)} of {requests} requests hold personal data", *listed[:10]]),
            requests=requests,
        )

    return privacy


def _leaks(
    artifact: Artifact, documents: Mapping[str, Mapping[str, object]], fixed: Container[str]
) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in artifact.rows("requests"):
        about = documents.get(str(row["document_id"]))
        if about is not None:
            personal = Personal.of(Document.from_row(about))
            if kind := personal.leaked(row["messages"], fixed):  # type: ignore[arg-type]
                found[str(row["request_hash"])] = kind
    return found


def _description(config: TeacherConfig) -> str:
    if config.task is None:
        return "Every document as a sample; this pipeline has no teacher."
    return f"What {config.model or 'the offline method'} made of each document: {config.task}."


def _shown(row: dict[str, object]) -> dict[str, object]:
    return {"fields": row["fields"], "split": row["split"], "method": row["method"]}
