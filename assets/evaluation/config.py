"""The `evaluation:` section of a pipeline."""

from typing import Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from assets.discovery import Options, find, names, options_of
from assets.questions import Question

BENCHMARKS = "assets.evaluation.benchmarks"


class EvaluationConfig(BaseModel):
    """What the tuned model is measured by; each benchmark adds keys of its own."""

    model_config = ConfigDict(extra="allow", frozen=True)

    benchmarks: tuple[str, ...] | None = None  # None: those that suit the model
    samples: int = 6  # test rows that the report shows side by side

    @model_validator(mode="after")
    def _every_key_has_an_owner(self) -> "EvaluationConfig":
        if self.benchmarks == ():
            raise ValueError(f"benchmarks is empty; there are: {', '.join(names(BENCHMARKS))}")
        chosen = self.benchmarks or names(BENCHMARKS)
        owned = {key for name in chosen for key in options_of(BENCHMARKS, name).model_fields}
        if unknown := sorted(set(self.model_extra or {}) - owned):
            allowed = sorted(owned | set(type(self).model_fields))
            raise ValueError(f"unknown key {unknown[0]!r}; allowed: {', '.join(allowed)}")
        for name in chosen:
            self.options(name)
        return self

    def options(self, benchmark: str) -> Options:
        """Return the validated `Options` of one benchmark."""
        wanted = options_of(BENCHMARKS, benchmark)
        extra = self.model_extra or {}
        return wanted(**{k: v for k, v in extra.items() if k in wanted.model_fields})

    def suited(self, asked: Question) -> dict[str, dict[str, Any]]:
        """Return benchmark -> options; raises ValueError where one cannot measure the model."""
        fitting = [name for name in names(BENCHMARKS) if _measures(name, asked)]
        chosen = self.benchmarks or [n for n in fitting if find(BENCHMARKS, n).DEFAULT]
        wrong = [name for name in chosen if name not in fitting]
        if wrong or not chosen:
            named = f"benchmark {wrong[0]!r} does not suit" if wrong else "no benchmark suits"
            raise ValueError(
                f"{named} a model of kind {asked.model!r} on rows of kind {asked.rows!r}; "
                f"these do: {', '.join(fitting) or 'none'}"
            )
        return {name: self.options(name).model_dump(mode="json") for name in chosen}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        schema = handler.resolve_ref_schema(handler(core_schema))
        schema["additionalProperties"] = False
        for name in names(BENCHMARKS):
            schema["properties"] |= options_of(BENCHMARKS, name).model_json_schema()["properties"]
        # No anyOf: where none fits, its message names neither the wrong one nor the right ones.
        chosen = schema["properties"]["benchmarks"]
        del chosen["anyOf"]
        chosen |= {"type": ["array", "null"], "items": {"enum": list(names(BENCHMARKS))}}
        return schema


def _measures(benchmark: str, asked: Question) -> bool:
    module = find(BENCHMARKS, benchmark)
    return asked.rows in module.EXAMPLES and asked.model in module.MODELS
