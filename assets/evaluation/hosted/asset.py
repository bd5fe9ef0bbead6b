"""evaluation_report of a model that lies at a service: base and tuned are asked, not loaded."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg

from assets.evaluation.compare import Comparison
from assets.evaluation.config import EvaluationConfig
from assets.evaluation.hosted.answers import (
    PLAIN,
    VERSION,
    Allowance,
    Answers,
    Prompt,
    SpentAllowance,
    compared,
    described,
    prompts_of,
)
from assets.evaluation.report import markdown_table, render
from assets.questions import question_of
from assets.records import Sample, content_hash
from resources.artifact_store import Artifact, ArtifactStore
from resources.chat_request import Sampling
from resources.model_registry import ChampionModel, ModelRegistry
from resources.presentation import file_link, picture, table_preview
from resources.teacher_connection import TeacherAnswer, TeacherConnection
from resources.teacher_model import TeacherModel

BENCHMARK = "style_profile"
IN_FLIGHT = 8
TRIES = 2  # requests for each answer that is wanted, at most
TIMEOUT_SECONDS = 120.0
UPSTREAM = ("fine_tuned_model", "validated_samples", "training_examples")


def build(pipeline: str, config: EvaluationConfig) -> list[dg.AssetsDefinition]:
    """Return the asset for a pipeline whose model a service tunes."""
    if config.benchmarks not in (None, (BENCHMARK,)):
        raise ValueError(f"a hosted model is compared by {BENCHMARK} alone: leave benchmarks out")
    key = dg.AssetKey([pipeline, "evaluation_report"])
    upstream = [dg.AssetKey([pipeline, name]) for name in UPSTREAM]

    @dg.asset(
        key=key,
        deps=upstream,
        kinds={"openai", "html"},
        code_version=content_hash([VERSION, config.model_dump(mode="json")]),
        description="Base, tuned and champion asked at the service with the same test prompts.",
    )
    def evaluation_report(
        context: dg.AssetExecutionContext,
        store: ArtifactStore,
        teacher_model: TeacherModel,
        model_registry: ModelRegistry,
    ) -> dg.MaterializeResult:
        model, samples, examples = (store.latest(context, asset) for asset in upstream)
        manifest, champion = model.json("manifest.json"), model_registry.champion(pipeline)
        models, version = _models(manifest, champion)
        about = _about(pipeline, config, models, (model, samples, examples))
        report = Artifact(key, about["run_key"], store.folder(key, about["run_key"]))
        if not (report.path / "manifest.json").exists():
            options: Any = config.options(BENCHMARK)
            prompts = _prompts(samples, examples, options.style_prompts)
            answers = _asked(context, teacher_model, models, prompts, options)
            found = _compared(prompts, answers, options, config.samples)
            told = about | described(found, manifest, version)
            _publish(store, report, told, manifest, found.pictures)
        told = report.json("manifest.json")
        return Artifact(key, told["scores_hash"], report.path).result(**_metadata(report, told))

    return [evaluation_report]


def _about(
    pipeline: str,
    config: EvaluationConfig,
    models: Mapping[str, str],
    upstream: Sequence[Artifact],
) -> dict[str, Any]:
    """Return what is known before anything is asked, and the key that makes it one evaluation."""
    inputs = {artifact.key.path[-1]: artifact.version for artifact in upstream}
    options = {BENCHMARK: config.options(BENCHMARK).model_dump(mode="json")}
    return {
        "run_key": content_hash([VERSION, inputs, models, options, config.samples]),
        "pipeline": pipeline,
        "inputs": inputs,
        "models": dict(models),
        "benchmarks": [BENCHMARK],
        "options": options,
        "seed": None,  # a service draws as it likes
    }


def _models(
    manifest: Mapping[str, Any], champion: ChampionModel | None
) -> tuple[dict[str, str], str | None]:
    """Return arm -> the model's name at the service, and the version of a champion among them."""
    models = {"base": manifest["base_model"]["name"], "tuned": manifest["hosted_model"]}
    if champion is None or champion.weights_hash == manifest["weights_hash"]:
        return models, None
    old = json.loads(Path(champion.folder, "manifest.json").read_text(encoding="utf-8"))
    if question_of(old) != question_of(manifest):
        return models, None  # it lies here, or answers another question
    return {**models, "champion": old["hosted_model"]}, champion.version


def _prompts(samples: Artifact, examples: Artifact, count: int) -> list[Prompt]:
    rows = [Sample.from_row(row) for row in samples.rows()]
    try:
        return prompts_of(rows, examples.json("template.json").get("system", ""), count)
    except ValueError as error:
        raise dg.Failure(str(error), allow_retries=False) from None


def _asked(
    context: dg.AssetExecutionContext,
    teacher_model: TeacherModel,
    models: Mapping[str, str],
    prompts: Sequence[Prompt],
    options: Any,
) -> dict[str, dict[str, str]]:
    """Return arm -> prompt -> answer; what was answered before is not asked again."""
    purse = Allowance(TRIES * len(models) * len(prompts))
    found: dict[str, dict[str, str]] = {}
    for arm, model in models.items():
        connection = teacher_model.connect(
            endpoint=teacher_model.endpoint(model),
            model=model,
            sampling=Sampling(options.temperature, options.max_new_tokens),
            timeout_seconds=TIMEOUT_SECONDS,
            cost=lambda prompt_tokens, completion_tokens: 0.0,
            purse=purse,
            max_concurrency=IN_FLIGHT,
        )
        try:
            answers = asyncio.run(_answers(connection, prompts))
        except SpentAllowance as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        found[arm] = {p.id: a.text for p, a in answers if not a.problem}
        context.log.info(f"{arm}: {model} answered {len(found[arm])} of {len(prompts)} prompts")
        for prompt, answer in answers:
            if answer.problem:
                context.log.warning(f"{arm}, test row {prompt.id}: {answer.problem}")
    context.log.info(f"{purse.spent} requests were sent; the rest was answered before")
    return found


async def _answers(
    connection: TeacherConnection, prompts: Sequence[Prompt]
) -> list[tuple[Prompt, TeacherAnswer]]:
    async def answer(prompt: Prompt) -> tuple[Prompt, TeacherAnswer]:
        kept = connection.cached(prompt.messages, PLAIN)
        return prompt, kept or await connection.ask(prompt.messages, PLAIN)

    async with connection:
        return list(await asyncio.gather(*map(answer, prompts)))


def _compared(
    prompts: Sequence[Prompt], answers: Mapping[str, Answers], options: Any, samples: int
) -> Comparison:
    try:
        return compared(prompts, answers, options, samples)
    except ValueError as error:
        raise dg.Failure(str(error)) from None


def _publish(
    store: ArtifactStore,
    report: Artifact,
    told: Mapping[str, Any],
    model: Mapping[str, Any],
    pictures: Mapping[str, bytes],
) -> None:
    with TemporaryDirectory() as folder:
        for name, png in pictures.items():
            Path(folder, f"{name}.png").write_bytes(png)
        page = render(told, model, pictures)
        Path(folder, "report.html").write_text(page, encoding="utf-8")
        text = json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False)
        Path(folder, "manifest.json").write_text(text, encoding="utf-8")
        store.publish_files(report.key, report.version, Path(folder))


def _metadata(report: Artifact, told: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {
        f"{arm}_style_distance": found["style_distance"] for arm, found in told["metrics"].items()
    }
    return {
        **numbers,
        **{n: picture((report.path / f"{n}.png").read_bytes(), n) for n in told["pictures"]},
        "verdict": told["verdict"],
        "comparison": dg.MetadataValue.md(markdown_table(told)),
        "report": file_link(report.path / "report.html"),
        "samples": table_preview(told["samples"]),
        "test_rows": told["test_rows"],
    }
