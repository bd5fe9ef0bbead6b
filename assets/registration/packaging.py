"""What MLflow stores of a tuned model: its weights or adapter, never a base that others publish."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

SERVING_CODE = Path(__file__).with_name("serving.py")
_PACKAGES = ("mlflow", "pandas", "torch", "transformers")


@dataclass(frozen=True)
class ServedModel:
    """The parts of a version."""

    artifacts: dict[str, Path]
    signature: "ModelSignature"
    pip_requirements: list[str]


def package(folder: Path) -> ServedModel:
    """Return the parts of the published `fine_tuned_model` in `folder`."""
    manifest, template = _read(folder / "manifest.json"), _read(folder / "model" / "template.json")
    adapter = (folder / "model" / "adapter_config.json").exists()
    artifacts = {"model": folder / "model", "manifest": folder / "manifest.json"}
    base = manifest["base_model"]
    # A scratch model and a local folder exist nowhere else: without them the adapter is useless.
    # A hub id with its revision, or a package with its version, gives the same base again.
    if adapter and base["kind"] in ("scratch", "folder"):
        artifacts["base"] = Path(base["path"])
    return ServedModel(artifacts, _signature(template), _requirements(base, adapter))


def _requirements(base: Mapping[str, Any], adapter: bool) -> list[str]:
    names = [*_PACKAGES]
    if adapter:
        names.append("peft")
        if base["kind"] == "package":
            names.append(base["name"])
    # "2.13.0+cpu" names a build, which no other machine can install by that name
    return [f"{name}=={version(name).partition('+')[0]}" for name in sorted(names)]


def _signature(template: Mapping[str, Any]) -> "ModelSignature":
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

    if template["kind"] == "chat":
        return ModelSignature(
            inputs=Schema([ColSpec("string")]),  # no name: a list of prompts is accepted as it is
            outputs=Schema([ColSpec("string", "text")]),
            params=ParamSchema(
                [ParamSpec("max_new_tokens", "long", 256), ParamSpec("temperature", "double", 0.0)]
            ),
        )
    names = dict.fromkeys([*template["fields"], "text"])
    return ModelSignature(
        inputs=Schema([ColSpec("string", name, required=False) for name in names]),
        outputs=Schema([ColSpec("string", "label"), ColSpec("double", "score")]),
    )


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))
