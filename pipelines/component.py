"""FineTuningPipeline: one defs.yaml becomes one pipeline's assets, checks, job and schedules."""

from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

import assets.evaluation.asset
import assets.extraction.asset
import assets.finetuning.asset
import assets.registration.asset
import assets.teacher.asset
import assets.templating.asset
import assets.validation.asset
from assets.discovery import find
from assets.evaluation.config import BENCHMARKS, EvaluationConfig
from assets.evaluation.hosted.asset import BENCHMARK as OF_HOSTED
from assets.extraction.config import ExtractionConfig
from assets.finetuning.config import OBJECTIVES, FinetuningConfig
from assets.questions import Question
from assets.registration.config import RegistrationConfig
from assets.teacher.config import TeacherConfig
from assets.templating.config import TemplatingConfig
from assets.validation.config import ValidationConfig
from pipelines.automation import Retrain, condition_for, schedules_for

Part = dg.AssetsDefinition | dg.SourceAsset | dg.AssetChecksDefinition


class PipelineConfig(BaseModel):
    """The attributes of a defs.yaml: one section a room, which the room owns."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str
    owners: tuple[str, ...] = ("team:data",)
    extraction: ExtractionConfig
    teacher: TeacherConfig = TeacherConfig()
    validation: ValidationConfig = ValidationConfig()
    templating: TemplatingConfig = TemplatingConfig()
    finetuning: FinetuningConfig | None = None  # without it the pipeline ends at its examples
    evaluation: EvaluationConfig = EvaluationConfig()
    registration: RegistrationConfig = RegistrationConfig()
    retrain: Retrain = "manual"  # on_change, daily, weekly, a cron expression, or manual

    @model_validator(mode="after")
    def _can_be_judged(self) -> "PipelineConfig":
        """Refuse, before a model is trained, what evaluation or the gate would refuse after it."""
        tuning = self.finetuning
        if tuning is None:
            return self
        objective = find(OBJECTIVES, tuning.objective)
        asked = Question(objective.EXAMPLES, objective.MODEL)
        benchmarks = (OF_HOSTED,) if tuning.hosted else self.evaluation.suited(asked)
        measured = {m for name in benchmarks for m in find(BENCHMARKS, name).METRICS}
        metric = self.registration.gate.metric
        if metric and metric not in measured:
            raise ValueError(
                f"registration.gate.metric {metric!r} is measured by none of the benchmarks "
                f"{', '.join(benchmarks)}; they measure: {', '.join(sorted(measured))}"
            )
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the schema without an anyOf: its message would name no key and no line."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        section, _none = schema["properties"]["finetuning"].pop("anyOf")
        schema["properties"]["finetuning"] = section
        return schema


class FineTuningPipeline(dg.Component):
    """Raw text to a registered model, retrained when the data changes."""

    def __init__(self, name: str, config: PipelineConfig) -> None:
        self.name = name
        self.config = config
        self._trained: set[dg.AssetKey] = set()  # the assets that train

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """Return the model that `dg check yaml` holds a defs.yaml against."""
        return PipelineConfig

    @classmethod
    def load(
        cls, attributes: BaseModel | None, context: dg.ComponentLoadContext
    ) -> "FineTuningPipeline":
        """Build the pipeline of the folder that holds the defs.yaml; it is named so."""
        assert isinstance(attributes, PipelineConfig)
        return cls(context.path.name, _with_absolute_path(attributes, context.path))

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return everything that Dagster shows and runs for this pipeline."""
        made = self._assets()
        checks = [part for part in made if isinstance(part, dg.AssetChecksDefinition)]
        return dg.Definitions(
            assets=[self._in_the_group(part) for part in made if part not in checks],
            asset_checks=checks,
            jobs=[
                dg.define_asset_job(
                    self.name,
                    selection=dg.AssetSelection.groups(self.name),
                    description=self.config.description,
                    tags={"pipeline": self.name},
                )
            ],
            schedules=schedules_for(self.name, self.config.retrain),
        )

    def _assets(self) -> list[Part]:
        """Return the rooms' assets, in the order of the flow."""
        name, config, rooms = self.name, self.config, assets
        tuning = config.finetuning
        data = [
            *rooms.extraction.asset.build(name, config.extraction),
            *rooms.teacher.asset.build(name, config.teacher),
            *rooms.validation.asset.build(name, config.validation),
            *rooms.templating.asset.build(
                name,
                config.templating,
                kind=find(OBJECTIVES, tuning.objective).EXAMPLES if tuning else None,
                base_model=tuning.tokenizer_model() if tuning else "scratch",
                labels=config.validation.labels or (),
                route_by=tuning.adapters_by if tuning else None,
            ),
        ]
        if tuning is None:
            return data
        fence = _blocking_checks(data)
        models = rooms.finetuning.asset.build(name, tuning, fence)
        # with a sweep or several adapters the last one is made of the models before it
        self._trained = {model.key for model in models[:-1] or models}
        return [
            *data,
            *models,
            *rooms.evaluation.asset.build(name, config.evaluation, tuning.hosted),
            *rooms.registration.asset.build(name, config.registration, fence),
        ]

    def _in_the_group(self, part: Part) -> Part:
        """Return the asset with what all assets of a pipeline share; a source keeps its own."""
        if not isinstance(part, dg.AssetsDefinition):
            return part
        return part.map_asset_specs(
            lambda spec: spec.replace_attributes(
                group_name=self.name,
                owners=list(self.config.owners),
                automation_condition=condition_for(
                    spec.key, self.config.retrain, trains=spec.key in self._trained
                ),
            )
        )


def _with_absolute_path(config: PipelineConfig, folder: Path) -> PipelineConfig:
    """Return the config with the export's path absolute; it is relative to `folder`."""
    extraction = config.extraction
    path = (folder / extraction.path.expanduser()).resolve()
    return config.model_copy(update={"extraction": extraction.model_copy(update={"path": path})})


def _blocking_checks(
    made: list[Part],
) -> list[dg.AssetCheckKey]:
    return [
        spec.key
        for checks in made
        if isinstance(checks, dg.AssetChecksDefinition)
        for spec in checks.check_specs
        if spec.blocking
    ]
