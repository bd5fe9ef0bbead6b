"""The `evaluation:` section of a pipeline."""

from typing import Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from assets.discovery import Options, find, names, options_of

BENCHMARKS = "assets.evaluation.benchmarks"
DEFAULTS = {"sft": ("held_out_loss", "style_profile"), "classify": ("classification",)}


class EvaluationConfig(BaseModel):
    """What the tuned model is measured by; each benchmark adds keys of its own."""

    model_config = ConfigDict(extra="allow", frozen=True)

    benchmarks: tuple[str, ...] | None = None  # None: those that suit the objective
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

    def suited(self, objective: str) -> dict[str, dict[str, Any]]:
        """Return benchmark -> options; raises ValueError where one suits another objective."""
        chosen = self.benchmarks or DEFAULTS[objective]
        if wrong := [n for n in chosen if objective != find(BENCHMARKS, n).OBJECTIVE]:
            fitting = [n for n in names(BENCHMARKS) if objective == find(BENCHMARKS, n).OBJECTIVE]
            raise ValueError(
                f"benchmark {wrong[0]!r} does not suit the objective {objective!r}; "
                f"these do: {', '.join(fitting)}"
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
