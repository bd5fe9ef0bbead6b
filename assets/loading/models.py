"""How base and tuned models are loaded, the same in training, evaluation and serving.

It goes along with a registered model, so it knows nothing of the rest of the project. Heavy.

A model's manifest names what is loaded: `{"base_model": {"kind": "package", "path": …, "revision":
"main"}, "model_kind": "sequence", "labels": ["safe", "phishing"], "seed": 0, "quantization": null}`
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast

import transformers
from transformers import PreTrainedModel, PreTrainedTokenizerBase

# causal       writes text
# sequence     gives a text one of its labels
# score        gives a text, or a pair of texts, one number
# tokens       gives each token a label
# embedding    gives a text a vector: a SentenceTransformer around the encoder
ModelKind = Literal["causal", "sequence", "score", "tokens", "embedding"]
_CLASSES: Mapping[str, Any] = {
    "causal": transformers.AutoModelForCausalLM,
    "sequence": transformers.AutoModelForSequenceClassification,
    "score": transformers.AutoModelForSequenceClassification,
    "tokens": transformers.AutoModelForTokenClassification,
}


def load_base(manifest: Mapping[str, Any], path: str | None = None) -> Any:
    """Return the un-tuned model that a tuned one started from, in evaluation mode.

    `manifest` is that of `fine_tuned_model`; `path` replaces where the base lies. A new head is
    drawn from the run's seed, so that the base is the same at every load.
    """
    base, kind = manifest["base_model"], kind_of(manifest)
    arguments = {"revision": base["revision"] if path is None else None, **_precision(manifest)}
    transformers.set_seed(manifest["seed"])
    if kind == "embedding":
        return _sentence_transformer(path or base["path"], arguments)
    loaded = _CLASSES[kind].from_pretrained(path or base["path"], **arguments, **_head(manifest))
    return loaded.eval()


def load_tuned(folder: Path, base_path: str | None = None) -> tuple[Any, PreTrainedTokenizerBase]:
    """Return the model and tokenizer of a published `fine_tuned_model`, in evaluation mode."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    weights, kind = folder / "model", kind_of(manifest)
    tokenizer = transformers.AutoTokenizer.from_pretrained(weights)
    if (weights / "adapter_config.json").exists():
        from peft import PeftModel

        model = load_base(manifest, base_path)
        inner_model(model, kind).config.pad_token_id = tokenizer.pad_token_id  # as it was trained
        adapted = PeftModel.from_pretrained(inner_model(model, kind), str(weights))
        return with_inner_model(model, kind, adapted).eval(), tokenizer
    if kind == "embedding":
        return _sentence_transformer(str(weights), {}), tokenizer
    return _CLASSES[kind].from_pretrained(weights).eval(), tokenizer


def kind_of(manifest: Mapping[str, Any]) -> ModelKind:
    """Return the model's kind; manifests of the first versions name none."""
    before = "sequence" if manifest["labels"] else "causal"
    return cast(ModelKind, manifest.get("model_kind", before))


def inner_model(model: Any, kind: str) -> PreTrainedModel:
    """Return what a method changes: the encoder inside a SentenceTransformer, else the model."""
    return model[0].model if kind == "embedding" else model


def with_inner_model(model: Any, kind: str, changed: Any) -> Any:
    """Return the model with its inner one replaced; `inner_model`'s inverse."""
    if kind != "embedding":
        return changed
    model[0].model = changed
    return model


def _head(manifest: Mapping[str, Any]) -> dict[str, Any]:
    kind, labels = kind_of(manifest), manifest["labels"]
    if kind == "causal":
        return {}
    if kind == "score":
        return {"num_labels": 1}
    return {
        "num_labels": len(labels),
        "id2label": dict(enumerate(labels)),
        "label2id": {label: i for i, label in enumerate(labels)},
    }


def _precision(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the base's weights are kept: quantised by bitsandbytes, or in `dtype`."""
    arguments = {}
    if manifest.get("quantization"):
        quantization = transformers.BitsAndBytesConfig(**manifest["quantization"])
        arguments["quantization_config"] = quantization
    if manifest.get("dtype"):
        arguments["dtype"] = manifest["dtype"]
    return arguments


def _sentence_transformer(path: str, arguments: dict[str, Any]) -> Any:
    from sentence_transformers import SentenceTransformer

    revision = arguments.pop("revision", None)
    made = SentenceTransformer(path, revision=revision, device="cpu", model_kwargs=arguments)
    return made.eval()
