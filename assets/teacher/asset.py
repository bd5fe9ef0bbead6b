"""teacher_samples: what the teacher, or the task's offline method, made of the documents."""

import asyncio
from collections.abc import Sequence
from typing import cast

import dagster as dg

from assets.discovery import find
from assets.records import Document, content_hash, to_rows
from assets.teacher.budget import Budget, OverBudget, price_of
from assets.teacher.config import TeacherConfig
from assets.teacher.generate import Generation, TeacherRun, make_offline, pass_through
from assets.teacher.protocol import Task, prompt_version
from resources.artifact_store import ArtifactStore
from resources.check_records import blocking_result
from resources.presentation import table_preview
from resources.teacher_connection import Sampling
from resources.teacher_model import TeacherModel

VERSION = "1"  # raise it when the same configuration makes other samples
FREE = "none: no teacher was asked"


def build(
    pipeline: str, config: TeacherConfig
) -> list[dg.AssetsDefinition | dg.AssetChecksDefinition]:
    """Return the asset and the check of this room for one pipeline."""
    key = dg.AssetKey([pipeline, "teacher_samples"])
    raw_documents = dg.AssetKey([pipeline, "raw_documents"])

    @dg.asset(
        key=key,
        deps=[raw_documents],
        kinds={"openai" if config.model else "python", "parquet"},
        code_version=_code_version(config),
        description=_description(config),
    )
    def teacher_samples(
        context: dg.AssetExecutionContext, store: ArtifactStore, teacher_model: TeacherModel
    ) -> dg.MaterializeResult:
        rows = store.latest(context, raw_documents).rows()
        made, price = _generate(config, [Document.from_row(row) for row in rows], teacher_model)
        if not made.samples:
            reasons = sorted({row.reason for row in made.failed})[:3]
            raise dg.Failure(f"no sample came of {len(rows)} documents: {'; '.join(reasons)}")
        samples, failed = to_rows(made.samples), [row.to_row() for row in made.failed]
        artifact = store.publish_rows(
            key, content_hash([samples, failed]), rows=samples, failed=failed
        )
        return artifact.result(
            samples=len(samples),
            new=made.new,
            cached=made.cached,
            failed=len(failed),
            prompt_tokens=made.prompt_tokens,
            completion_tokens=made.completion_tokens,
            cost_usd=made.cost_usd,
            estimated_cost_usd=made.estimated_cost_usd,
            price=price,
            preview=table_preview([_shown(row) for row in samples[:5]]),
            failures=table_preview(failed),
        )

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

    return [teacher_samples, failure_rate]


def _generate(
    config: TeacherConfig, documents: Sequence[Document], teacher_model: TeacherModel
) -> tuple[Generation, str]:
    """Return the samples, and where the price of a token is from."""
    if config.task is None:
        return pass_through(documents), FREE
    task = _task(config.task)
    if config.model is None:
        return make_offline(config.task, task, documents), FREE
    try:
        return asyncio.run(_ask(config.task, task, config.model, config, documents, teacher_model))
    except OverBudget as error:
        raise dg.Failure(str(error), allow_retries=False) from None


async def _ask(
    name: str,
    task: Task,
    model: str,
    config: TeacherConfig,
    documents: Sequence[Document],
    teacher_model: TeacherModel,
) -> tuple[Generation, str]:
    endpoint = teacher_model.endpoint(model)
    price = price_of(model, endpoint.at_openai, config.price_per_million)
    sampling = Sampling(config.temperature, config.max_output_tokens)
    connection = teacher_model.connect(
        endpoint, model, sampling, config.timeout_seconds, price.cost_usd
    )
    async with connection:
        budget = Budget(config.max_cost_usd, price, config.max_output_tokens)
        run = TeacherRun(name, task, model, connection, budget, config.max_concurrency)
        run.estimate(documents)
        return await run.run(documents), price.source


def _task(name: str) -> Task:
    return cast(Task, find("assets.teacher.tasks", name))


def _code_version(config: TeacherConfig) -> str:
    prompt = prompt_version(_task(config.task)) if config.task else ""
    return content_hash([VERSION, config.model_dump(mode="json"), prompt])


def _description(config: TeacherConfig) -> str:
    if config.task is None:
        return "Every document as a sample; this pipeline has no teacher."
    return f"What {config.model or 'the offline method'} made of each document: {config.task}."


def _shown(row: dict[str, object]) -> dict[str, object]:
    return {"fields": row["fields"], "split": row["split"], "method": row["method"]}
