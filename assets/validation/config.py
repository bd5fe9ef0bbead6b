"""The `validation:` section of a pipeline.

validation:
  rules: [length, {near_duplicate: {threshold: 0.9}}, personal_data]
  expectations:
    - type: expect_column_values_to_match_regex
      kwargs: {column: completion, regex: "[.!?]$"}
"""

from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    RootModel,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema

from assets.discovery import Options, find, names, options_of

PACKAGE = "assets.validation.rules"


class RuleChoice(RootModel[str | dict[str, dict[str, Any]]]):
    """A rule of the pipeline: its name, or its name with options."""

    model_config = ConfigDict(frozen=True)

    @property
    def name(self) -> str:
        """Return the name of the rule's file."""
        return self.root if isinstance(self.root, str) else next(iter(self.root))

    def options(self) -> Any:
        """Return the rule's validated `Options`."""
        given = {} if isinstance(self.root, str) else self.root[self.name]
        wanted = options_of(PACKAGE, self.name)
        if unknown := sorted(given.keys() - wanted.model_fields.keys()):
            allowed = ", ".join(sorted(wanted.model_fields)) or "none"
            raise ValueError(
                f"unknown option {unknown[0]!r} of rule {self.name}; there are: {allowed}"
            )
        return wanted(**given)

    @model_validator(mode="after")
    def _exists(self) -> "RuleChoice":
        if not isinstance(self.root, str) and len(self.root) != 1:
            raise ValueError(f"one rule an entry, not {len(self.root)}: {', '.join(self.root)}")
        self.options()
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        options = {name: _flat_schema(options_of(PACKAGE, name)) for name in names(PACKAGE)}
        with_options = {
            "type": "object",
            "properties": options,
            "propertyNames": {"enum": list(options)},
            "minProperties": 1,
            "maxProperties": 1,
        }
        # No anyOf: where none fits, its message names neither the wrong rule nor the right ones.
        return {"if": {"type": "string"}, "then": {"enum": list(options)}, "else": with_options}


def _flat_schema(options: type[Options]) -> dict[str, Any]:
    schema = options.model_json_schema()
    if "$defs" in schema:
        raise TypeError(f"{options.__module__}.Options nests models: keep a rule's keys flat")
    return schema


class Expectation(BaseModel):
    """One expectation of Great Expectations, by the names that its gallery gives."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    type: str = Field(pattern="^[a-z_]+$")  # expect_column_values_to_match_regex
    kwargs: dict[str, Any] = {}  # column: a field of the samples, `split` or `id`
    description: str = ""  # what a person reads when it fails; by default the type in words


class ValidationConfig(BaseModel):
    """Which samples may be learnt from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # Applied in this order, each to what the earlier ones left; None: the defaults of the kind.
    rules: tuple[RuleChoice, ...] | None = None
    labels: tuple[str, ...] | None = None  # the only labels allowed; None: whatever is there
    max_reject_rate: float = Field(default=0.3, ge=0, le=1)  # above it the check blocks
    min_rows: int = Field(default=10, ge=3)  # fewer validated samples block
    # Texts of two splits that are this alike (Jaccard index of word pairs) block as leakage.
    leakage_threshold: float = Field(default=0.8, ge=0.7, le=1)
    expectations: tuple[Expectation, ...] = ()  # beside the built-in suite

    @field_validator("rules")
    @classmethod
    def _each_rule_once(cls, rules: tuple[RuleChoice, ...] | None) -> tuple[RuleChoice, ...] | None:
        chosen = [rule.name for rule in rules or ()]
        if twice := sorted({name for name in chosen if chosen.count(name) > 1}):
            raise ValueError(f"rule {twice[0]!r} is listed twice: keep the entry with its options")
        return rules

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        schema = handler.resolve_ref_schema(handler(core_schema))
        rules = schema["properties"]["rules"]
        listed, _none = rules.pop("anyOf")
        rules |= listed | {"type": ["array", "null"]}
        return schema

    def versions(self) -> dict[str, str]:
        """Return the version of every rule that may be applied: all where none is chosen."""
        chosen = names(PACKAGE) if self.rules is None else tuple(rule.name for rule in self.rules)
        return {name: find(PACKAGE, name).VERSION for name in chosen}
