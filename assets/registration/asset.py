"""registered_model: the judged model as an MLflow version, promoted to champion or held."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg

from assets.questions import question_of
from assets.records import content_hash
from assets.registration.card import model_card, short_card
from assets.registration.config import Gate, RegistrationConfig
from assets.registration.packaging import loading_code, package
from assets.registration.promotion import decide, metric_of, undecided
from assets.registration.record import Facts
from resources.artifact_store import Artifact, ArtifactStore
from resources.check_records import require_passed
from resources.experiment_tracker import DataInput, ExperimentTracker, LoggedRun, RunRecord
from resources.model_registry import ChampionModel, ModelRegistry

VERSION = "2"  # raise it when the same model would be registered in another way


def build(
    pipeline: str, config: RegistrationConfig, fence: Sequence[dg.AssetCheckKey]
) -> list[dg.AssetsDefinition]:
    """Return registered_model; it runs only when the `fence` passed on the newest data."""
    key = dg.AssetKey([pipeline, "registered_model"])

    @dg.asset(
        key=key,
        deps=[[pipeline, "fine_tuned_model"], [pipeline, "evaluation_report"]],
        kinds={"mlflow"},
        code_version=content_hash([VERSION, config.model_dump(mode="json")]),
        description="The tuned model as an MLflow version; champion where it passes the gate.",
    )
    def registered_model(
        context: dg.AssetExecutionContext,
        store: ArtifactStore,
        experiment_tracker: ExperimentTracker,
        model_registry: ModelRegistry,
    ) -> dg.MaterializeResult:
        require_passed(context, fence)
        model, evaluation = _judged(context, store, pipeline)
        inputs = _data_inputs(context, store, pipeline, model)
        facts = _facts(pipeline, config, model, evaluation, inputs, model_registry)
        run = experiment_tracker.record(
            pipeline, _run_record(context, facts, model, evaluation, inputs)
        )
        version = _register(model_registry, facts, model, run)
        alias = _set_alias(model_registry, facts, version)
        artifact = _publish(store, key, facts.manifest(version, alias))
        return artifact.result(**_metadata(facts, config.gate, run, version, alias))

    return [registered_model]


def _judged(
    context: dg.AssetExecutionContext, store: ArtifactStore, pipeline: str
) -> tuple[Artifact, Artifact]:
    """Return model and evaluation; refuses an evaluation of other weights than the newest."""
    model = store.latest(context, dg.AssetKey([pipeline, "fine_tuned_model"]))
    evaluation = store.latest(context, dg.AssetKey([pipeline, "evaluation_report"]))
    judged = _input_version(context, evaluation, model.key)
    if judged != model.version:
        raise dg.Failure(
            f"evaluation_report judged fine_tuned_model {judged}, and the newest is "
            f"{model.version}: materialize evaluation_report first",
            allow_retries=False,
        )
    return model, evaluation


def _input_version(
    context: dg.AssetExecutionContext, artifact: Artifact, upstream: dg.AssetKey
) -> str | None:
    """Return the version of `upstream` that the artifact was made from, as Dagster recorded it."""
    for record in context.instance.fetch_materializations(artifact.key, limit=50).records:
        tags = record.asset_materialization.tags if record.asset_materialization else None
        if tags and tags.get("dagster/data_version") == artifact.version:
            return tags.get(f"dagster/input_data_version/{upstream.to_user_string()}")
    return None


def _data_inputs(
    context: dg.AssetExecutionContext, store: ArtifactStore, pipeline: str, model: Artifact
) -> list[DataInput]:
    """Return the very data that the model was trained on, which need not be the newest."""
    examples_key = dg.AssetKey([pipeline, "training_examples"])
    samples_key = dg.AssetKey([pipeline, "validated_samples"])
    version = model.json("manifest.json")["inputs"]["training_examples"]
    folder = store.folder(examples_key, version)
    found = [DataInput("training_examples", version, folder)]
    samples = _input_version(context, Artifact(examples_key, version, folder), samples_key)
    if samples is not None:
        found.append(DataInput("validated_samples", samples, store.folder(samples_key, samples)))
    return found


def _facts(
    pipeline: str,
    config: RegistrationConfig,
    model: Artifact,
    evaluation: Artifact,
    inputs: Sequence[DataInput],
    registry: ModelRegistry,
) -> Facts:
    manifest, report = model.json("manifest.json"), evaluation.json("manifest.json")
    try:
        decision = decide(report, config.gate, _rival(registry.champion(pipeline), manifest))
    except ValueError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    versions = {data.name: data.version for data in inputs}
    return Facts(pipeline, manifest, report, _rows(inputs[0].folder), versions, decision)


def _rival(champion: ChampionModel | None, manifest: Mapping[str, Any]) -> str | None:
    """Return the champion's version, None where there is nothing to compare this model with.

    That is so for the model itself, and for a champion of another question (rows, kind of model,
    labels): a person changed it, and the old model cannot answer.
    """
    if champion is None or champion.weights_hash == manifest["weights_hash"]:
        return None
    old = json.loads(Path(champion.folder, "manifest.json").read_text(encoding="utf-8"))
    return champion.version if question_of(old) == question_of(manifest) else None


def _rows(examples: Path) -> Mapping[str, int]:
    """Return how many training examples each split has."""
    import pyarrow.parquet as pq

    splits = pq.read_table(examples / "rows.parquet", columns=["split"])["split"].to_pylist()
    return dict(sorted(Counter(splits).items()))


def _run_record(
    context: dg.AssetExecutionContext,
    facts: Facts,
    model: Artifact,
    evaluation: Artifact,
    inputs: Sequence[DataInput],
) -> RunRecord:
    report = [evaluation.path / "report.html", *sorted(evaluation.path.rglob("*.png"))]
    return RunRecord(
        name=f"{facts.pipeline}-{facts.weights_hash[:8]}",
        key=content_hash([facts.weights_hash, evaluation.version, facts.decision.reason]),
        tags={**facts.tags(str(model.path)), "dagster_run_id": context.run.run_id},
        parameters=facts.parameters(),
        metrics=facts.metrics(),
        history=facts.model["history"],
        inputs=inputs,
        files=[*report, model.path / "manifest.json"],
        texts={"card.md": model_card(facts)},
    )


def _register(registry: ModelRegistry, facts: Facts, model: Artifact, run: LoggedRun) -> str:
    """Return the version of these weights: the one that stands, else a new one."""
    version = registry.version_of(facts.pipeline, facts.weights_hash)
    if version is not None:
        registry.describe(facts.pipeline, version, short_card(facts))
        return version
    served = package(model.path)
    with TemporaryDirectory() as folder:
        return registry.register(
            facts.pipeline,
            run.run_id,
            code=served.code,
            code_paths=[loading_code(Path(folder))] if served.is_loaded else [],
            artifacts=served.artifacts,
            signature=served.signature,
            pip_requirements=served.pip_requirements,
            tags=facts.tags(str(model.path)),
            description=short_card(facts),
        )


def _set_alias(registry: ModelRegistry, facts: Facts, version: str) -> str:
    """Return the alias that the version has now."""
    champion = registry.champion(facts.pipeline)
    if facts.decision.promoted:
        registry.promote(facts.pipeline, version)
    elif champion is None or champion.version != version:
        registry.challenge(facts.pipeline, version)
        return "challenger"
    return "champion"  # held by a gate that became stricter: it serves until another is promoted


def _publish(store: ArtifactStore, key: dg.AssetKey, manifest: Mapping[str, object]) -> Artifact:
    with TemporaryDirectory() as folder:
        text = json.dumps(manifest, indent=2, sort_keys=True)
        Path(folder, "manifest.json").write_text(text, encoding="utf-8")
        return store.publish_files(key, content_hash(manifest), Path(folder))


def _metadata(
    facts: Facts, gate: Gate, run: LoggedRun, version: str, alias: str
) -> dict[str, object]:
    uri = f"models:/{facts.pipeline}@{alias}"
    unknown = undecided(facts.evaluation, gate)
    decisive = "" if unknown else f"_{metric_of(facts.evaluation, gate)}"
    return {
        "version": int(version),
        "promoted": int(facts.decision.promoted),
        "reason": facts.decision.reason,
        **{name: value for name, value in facts.metrics().items() if name.endswith(decisive)},
        "mlflow_run": dg.MetadataValue.url(run.url),
        "load_it": dg.MetadataValue.md(f"`mlflow.pyfunc.load_model({uri!r})`"),
        "model_card": dg.MetadataValue.md(model_card(facts)),
    }
