"""Plug-ins without a registry: a file in the folder is the whole registration.

A section of a pipeline's YAML names its plug-ins (`source: email`) and holds their options beside
its own keys. `PluggedConfig` checks both, and puts both into the JSON schema, so that
`dg check yaml` refuses a misspelt key or an unknown name with file and line.
"""

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema


class Options(BaseModel):
    """The keys that one plug-in adds to its section; an unknown key is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@cache
def names(package: str) -> tuple[str, ...]:
    """Return the plug-ins of a package, sorted: its files, without importing them."""
    spec = find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError(f"{package} is not a package")
    found = pkgutil.iter_modules(spec.submodule_search_locations)
    return tuple(sorted(m.name for m in found if not m.name.startswith("_")))


def find(package: str, name: str) -> ModuleType:
    """Return the plug-in's module; raises ValueError that lists the names that exist."""
    if name not in names(package):
        kind = package.rpartition(".")[2].rstrip("s")
        raise ValueError(f"unknown {kind} {name!r}; there are: {', '.join(names(package))}")
    return import_module(f"{package}.{name}")


def options_of(package: str, name: str) -> type[Options]:
    """Return the plug-in's `Options` class; `Options` itself where it declares none."""
    return getattr(find(package, name), "Options", Options)


class PluggedConfig(BaseModel):
    """A section whose further keys belong to the plug-ins that it names."""

    model_config = ConfigDict(extra="allow", frozen=True)
    plugged: ClassVar[Mapping[str, str]] = {}  # field -> package of its plug-ins

    @model_validator(mode="after")
    def _every_key_has_an_owner(self) -> "PluggedConfig":
        owned = set().union(*(self._options_class(f).model_fields for f in self.plugged), ())
        if unknown := sorted(set(self.model_extra or {}) - owned):
            allowed = sorted(owned | set(type(self).model_fields))
            raise ValueError(f"unknown key {unknown[0]!r}; allowed: {', '.join(allowed)}")
        for field in self.plugged:
            self.options(field)
        return self

    def options(self, field: str) -> Any:
        """Return the validated `Options` of the plug-in that `field` names."""
        wanted = self._options_class(field)
        extra = self.model_extra or {}
        return wanted(**{k: v for k, v in extra.items() if k in wanted.model_fields})

    def _options_class(self, field: str) -> type[Options]:
        name = getattr(self, field)
        return options_of(self.plugged[field], name) if name else Options

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        schema = handler.resolve_ref_schema(handler(core_schema))
        schema.pop("additionalProperties", None)
        schema["unevaluatedProperties"] = False
        schema["allOf"] = [
            {
                "if": {
                    "properties": {field: {"const": name}},
                    "required": [] if cls.model_fields[field].default == name else [field],
                },
                "then": {"properties": _inlined_properties(options_of(package, name))},
            }
            for field, package in cls.plugged.items()
            for name in names(package)
        ]
        for field, package in cls.plugged.items():
            schema["properties"][field] |= {
                "enum": [*names(package), *_none_where_optional(cls, field)]
            }
        return schema


def _inlined_properties(options: type[Options]) -> dict[str, Any]:
    schema = options.model_json_schema()
    if "$defs" in schema:
        raise TypeError(f"{options.__module__}.Options nests models: keep a plug-in's keys flat")
    return schema.get("properties", {})


def _none_where_optional(cls: type[BaseModel], field: str) -> list[None]:
    return [] if cls.model_fields[field].is_required() else [None]
