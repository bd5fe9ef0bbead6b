"""How base and tuned models are loaded, the same in training, evaluation and serving.

It goes along with a registered model, so it knows nothing of the rest of the project. Heavy.

A model's manifest names what is loaded: `{"base_model": {"kind": "package", "path": …, "revision":
"main"}, "model_kind": "sequence", "labels": ["safe", "phishing"], "seed": 0, "quantization": null}`
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

import torch
import transformers
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from assets.loading import bottleneck, layers

# causal       writes text
# sequence     gives a text one of its labels
# score        gives a text, or a pair of texts, one number
# tokens       gives each token a label
# embedding    gives a text a vector: a SentenceTransformer around the encoder
ModelKind = Literal["causal", "sequence", "score", "tokens", "embedding"]
_QUANTISED = "quantised.json"  # beside weights that `assets.loading.quantised` reads
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
        loaded = _sentence_transformer(path or base["path"], arguments)
    else:
        head = _head(manifest)
        loaded = _CLASSES[kind].from_pretrained(path or base["path"], **arguments, **head)
    if manifest.get("student_layers"):
        layers.keep_layers(inner_model(loaded, kind), manifest["student_layers"])
    return _without_repacking(loaded).eval()


def without_weights(manifest: Mapping[str, Any], num_hidden_layers: int | None = None) -> Any:
    """Return what a method changes of the base, on the meta device: its configuration is read only.

    `num_hidden_layers` makes it shallower than it is.
    """
    base, kind = manifest["base_model"], kind_of(manifest)
    head = {} if kind == "embedding" else _head(manifest)
    config = transformers.AutoConfig.from_pretrained(
        base["path"], revision=base["revision"], **head
    )
    if depth := num_hidden_layers or manifest.get("student_layers"):
        config.num_hidden_layers = depth
        if getattr(config, "layer_types", None):
            config.layer_types = config.layer_types[:depth]
    dtype = manifest.get("dtype") or config.dtype or "float32"
    with torch.device("meta"):
        return _CLASSES.get(kind, transformers.AutoModel).from_config(config, dtype=dtype).train()


def load_tuned(folder: Path, base_path: str | None = None) -> tuple[Any, PreTrainedTokenizerBase]:
    """Return the model and tokenizer of a published `fine_tuned_model`, in evaluation mode."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    model = load_weights(manifest, folder / "model", base_path)
    return model, transformers.AutoTokenizer.from_pretrained(folder / "model")


def load_weights(manifest: Mapping[str, Any], weights: Path, base_path: str | None = None) -> Any:
    """Return the model that `assets.loading.saving.save_model` wrote, in evaluation mode."""
    kind = kind_of(manifest)
    if (weights / _QUANTISED).exists():
        from assets.loading import quantised  # it needs bitsandbytes, which the others do not

        embeds = kind == "embedding"
        return quantised.load_sentences(weights) if embeds else quantised.load(weights)
    if (load_adapter := _adapter_loader(weights)) is not None:
        model = load_base(manifest, base_path)
        tokenizer = transformers.AutoTokenizer.from_pretrained(weights)
        inner_model(model, kind).config.pad_token_id = tokenizer.pad_token_id  # as it was trained
        adapted = load_adapter(inner_model(model, kind), weights)
        return reading_with(with_inner_model(model, kind, adapted), kind, tokenizer).eval()
    if kind == "embedding":
        return _sentence_transformer(str(weights), {})
    return _CLASSES[kind].from_pretrained(weights).eval()


def _adapter_loader(weights: Path) -> Callable[[PreTrainedModel, Path], Any] | None:
    """Return what puts the adapter of a folder on its base; None where the weights are whole."""
    if (weights / bottleneck.SETTINGS).exists():
        return bottleneck.load
    if (weights / "adapter_config.json").exists():
        return _load_adapters
    return None


def _load_adapters(base: PreTrainedModel, folder: Path) -> Any:
    """Return the base with the folder's adapter active, and those of its subfolders beside it."""
    from peft import PeftModel

    model = PeftModel.from_pretrained(base, str(folder))
    for route in adapter_routes(folder):
        model.load_adapter(str(folder / route), adapter_name=route)
    return model


def adapter_routes(weights: Path) -> list[str]:
    """Return the names of several adapters on one base; empty where there is one model."""
    return sorted(path.parent.name for path in weights.glob("*/adapter_config.json"))


def adapters_for(model: Any, routes: Sequence[str]) -> dict[str, list[str]]:
    """Return the argument by which each row of a batch is answered by its own route's adapter.

    Rows of another route get the average of all adapters. Empty where there is one model.
    """
    there = set(getattr(model, "peft_config", {})) - {"default"}
    if not there:
        return {}
    return {"adapter_names": [route if route in there else "default" for route in routes]}


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


def reading_with(model: Any, kind: str, tokenizer: PreTrainedTokenizerBase) -> Any:
    """Return the model; one that reads texts itself does it with this tokenizer, and its limit."""
    if kind == "embedding":
        model[0].processor = tokenizer
    return model


def _head(manifest: Mapping[str, Any]) -> dict[str, Any]:
    kind, labels = kind_of(manifest), manifest["labels"]
    if kind == "causal":
        return {}
    if kind == "score":
        return {"num_labels": 1}
    if labels is None:  # a model that brings its head, and the names of its labels
        return {}
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


def _without_repacking(model: Any) -> Any:
    """Return the model with bitsandbytes' 4-bit layers left as they were loaded.

    On CPUs with AVX512-BF16 they pack their weights anew at the first forward pass outside of
    training, with the scales rounded to bfloat16: one look at the eval rows would change the base
    for good. Sides that 32 and 64 do not divide cannot be packed at all.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
    return model


def _sentence_transformer(path: str, arguments: dict[str, Any]) -> Any:
    from sentence_transformers import SentenceTransformer

    revision = arguments.pop("revision", None)
    made = SentenceTransformer(path, revision=revision, device="cpu", model_kwargs=arguments)
    return made.eval()
