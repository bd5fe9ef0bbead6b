"""What MLflow stores of a tuned model: its weights or adapter, never a base that others publish."""

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets import loading
from assets.questions import question_of
from assets.registration.signature import signature_of

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

SERVING_CODE = Path(__file__).with_name("serving.py")
HOSTED_CODE = Path(__file__).with_name("serving_hosted.py")
_PACKAGES = ("mlflow", "pandas", "torch", "transformers")


@dataclass(frozen=True)
class ServedModel:
    """The parts of a version."""

    artifacts: dict[str, Path]
    signature: "ModelSignature"
    pip_requirements: list[str]
    code: Path = SERVING_CODE
    is_loaded: bool = True  # by assets/loading, which goes along


def package(folder: Path) -> ServedModel:
    """Return the parts of the published `fine_tuned_model` in `folder`."""
    manifest, template = _read(folder / "manifest.json"), _read(folder / "model" / "template.json")
    artifacts = {"model": folder / "model", "manifest": folder / "manifest.json"}
    if question_of(manifest).model == "hosted":
        needed = _pinned(["mlflow", "pandas", "openai"])
        signature = signature_of(manifest, template)
        return ServedModel(artifacts, signature, needed, HOSTED_CODE, is_loaded=False)
    base = manifest["base_model"]
    # A scratch model and a local folder exist nowhere else: without them the adapter is useless.
    # A hub id with its revision, or a package with its version, gives the same base again.
    if _is_adapter(folder) and base["kind"] in ("scratch", "folder"):
        artifacts["base"] = Path(base["path"])
    return ServedModel(artifacts, signature_of(manifest, template), _requirements(folder, manifest))


def loading_code(folder: Path) -> Path:
    """Copy `assets/loading`, alone of this project, to `folder`; return what goes along."""
    assets = folder / "assets"
    source = Path(next(iter(loading.__path__)))
    shutil.copytree(source, assets / "loading", ignore=shutil.ignore_patterns("__pycache__"))
    (assets / "__init__.py").touch()
    return assets


def _is_adapter(folder: Path) -> bool:
    """Return whether the weights need their base: what is whole has its configuration beside it."""
    return not (folder / "model" / "config.json").exists()


def _requirements(folder: Path, manifest: Mapping[str, Any]) -> list[str]:
    base, weights = manifest["base_model"], folder / "model"
    in_few_bits = bool(manifest.get("quantization")) or (weights / "quantised.json").exists()
    needed = {
        base["name"]: _is_adapter(folder) and base["kind"] == "package",
        "peft": (weights / "adapter_config.json").exists(),
        "bitsandbytes": in_few_bits,
        "accelerate": in_few_bits,
        "sentence-transformers": manifest.get("model_kind") == "embedding",
    }
    names = [*_PACKAGES, *(name for name, is_needed in needed.items() if is_needed)]
    return _pinned(names)


def _pinned(names: Iterable[str]) -> list[str]:
    # "2.13.0+cpu" names a build, which no other machine can install by that name
    return [f"{name}=={version(name).partition('+')[0]}" for name in sorted(names)]


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))
