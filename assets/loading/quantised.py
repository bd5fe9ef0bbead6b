"""Models whose matrices and embeddings are kept in NF4 or int8, and turned back as they are used.

NF4 (Dettmers et al. 2023): 64 weights share a scale, and the scales are quantised again, 4.13 bits
a weight. int8: a row shares one scale, 8 bits and a little. The arithmetic is bitsandbytes' own,
which runs on a CPU; the modules are ours, because its 8-bit embedding cannot be saved and its
linear layers leave the embeddings, half of a small encoder, as they are. Positions, norms, biases
and the head keep their precision. `quantised.safetensors` holds all weights, and beside it lies
`quantised.json`:

    {"scheme": "nf4", "dtype": "float32", "architecture": "BertForSequenceClassification"}

It is not named model.safetensors: transformers would take that for a model of full precision,
and go on with random weights where the names do not match.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel

from assets.loading.quantised_weight import Scheme, Weight, empty_weight, quantised_weight

SETTINGS = "quantised.json"
WEIGHTS = "quantised.safetensors"


class QuantisedLinear(nn.Module):
    """A linear layer over a quantised matrix."""

    def __init__(self, quantised: Weight, bias: torch.Tensor | None) -> None:
        super().__init__()
        self.quantised = quantised
        self.out_features, self.in_features = quantised.rows, quantised.columns
        self.bias = None if bias is None else nn.Parameter(bias, requires_grad=False)

    @property
    def weight(self) -> torch.Tensor:
        """Return the matrix in the model's precision."""
        return self.quantised()

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return hidden · Wᵀ + b."""
        return functional.linear(hidden, self.weight, self.bias)


class QuantisedEmbedding(nn.Module):
    """An embedding of which only the rows that are looked up are turned back."""

    def __init__(self, quantised: Weight) -> None:
        super().__init__()
        self.quantised = quantised
        self.num_embeddings, self.embedding_dim = quantised.rows, quantised.columns

    @property
    def weight(self) -> torch.Tensor:
        """Return the whole matrix in the model's precision."""
        return self.quantised()

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        """Return the rows of these ids."""
        return self.quantised(input_ids.reshape(-1)).reshape(*input_ids.shape, -1)


def quantise(model: PreTrainedModel, scheme: Scheme) -> PreTrainedModel:
    """Return the model, its matrices and input embeddings quantised in place."""
    _replace(model.requires_grad_(False), lambda matrix: quantised_weight(matrix, scheme))
    model.quantised_scheme = scheme  # type: ignore[assignment]
    return model


def is_quantised(folder: Path) -> bool:
    """Return whether a quantised model was saved in this folder."""
    return (folder / SETTINGS).exists()


def save(model: PreTrainedModel, folder: Path) -> None:
    """Write a quantised model: its configuration, its weights, and how they are to be read."""
    folder.mkdir(parents=True, exist_ok=True)
    model.config.save_pretrained(folder)
    if model.can_generate() and model.generation_config is not None:
        model.generation_config.save_pretrained(folder)
    shared = _of_a_tied_head(model)
    tensors = {n: t.contiguous() for n, t in model.state_dict().items() if n not in shared}
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    settings = {
        "scheme": model.quantised_scheme,
        "dtype": str(model.dtype).removeprefix("torch."),
        "architecture": type(model).__name__,
    }
    text = json.dumps(settings, indent=2, sort_keys=True)
    (folder / SETTINGS).write_text(text, encoding="utf-8")


def load(folder: Path) -> PreTrainedModel:
    """Return the quantised model of a folder, in evaluation mode, on the CPU.

    Raises:
        ValueError: the file lacks a weight of the model, or brings one that the model has not.
    """
    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    model = _unfilled(folder, settings)
    tensors = load_file(folder / WEIGHTS)
    missing, unexpected = model.load_state_dict(tensors, strict=False, assign=True)
    absent = sorted(set(missing) - _of_a_tied_head(model))
    if absent or unexpected:
        raise ValueError(
            f"{folder / WEIGHTS} does not fit {settings['architecture']}: it lacks {absent[:3]} "
            f"and brings {unexpected[:3]}; quantise the model again"
        )
    return model.requires_grad_(False).eval()


def load_sentences(folder: Path) -> Any:
    """Return the SentenceTransformer of a folder, its encoder quantised."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules.transformer import Transformer

    class QuantisedTransformer(Transformer):
        def _load_model(self, *arguments: object, **settings: object) -> PreTrainedModel:
            return load(folder)

    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    # The way that the library itself takes for models that its plain loading cannot read.
    model = SentenceTransformer._load_with_module_classes(
        str(folder), {modules[0]["type"]: QuantisedTransformer}, device="cpu"
    )
    return model.eval()


def _unfilled(folder: Path, settings: dict[str, Any]) -> PreTrainedModel:
    """Return the model of a folder before its weights are read; it takes no memory yet."""
    import transformers
    from accelerate import init_empty_weights

    architecture = getattr(transformers, settings["architecture"])
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    with init_empty_weights(include_buffers=False):  # buffers outside the file are computed
        model = architecture._from_config(config, dtype=getattr(torch, settings["dtype"]))
    _replace(model, lambda matrix: empty_weight(matrix, settings["scheme"]))
    model.quantised_scheme = settings["scheme"]
    if model.can_generate() and (folder / "generation_config.json").exists():
        generation = transformers.GenerationConfig.from_pretrained(folder, local_files_only=True)
        model.generation_config = generation
    return model


def _replace(model: PreTrainedModel, make: Callable[[torch.Tensor], Weight]) -> None:
    """Put quantised modules in the place of the body's matrices and its input embeddings."""
    body, embeddings = model.base_model, model.get_input_embeddings()
    for name, module in list(body.named_modules()):
        if type(module) is nn.Linear:
            bias = None if module.bias is None else module.bias.data
            body.set_submodule(name, QuantisedLinear(make(module.weight), bias))
        elif module is embeddings and type(module) is nn.Embedding:
            body.set_submodule(name, QuantisedEmbedding(make(module.weight)))
    _tie_the_head(model)


def _tie_the_head(model: PreTrainedModel) -> None:
    """Let a head that was tied to the embeddings read them where they are now."""
    head, embeddings = model.get_output_embeddings(), model.get_input_embeddings()
    tied = getattr(model.config, "tie_word_embeddings", False)
    if tied and type(head) is nn.Linear and isinstance(embeddings, QuantisedEmbedding):
        bias = None if head.bias is None else head.bias.data
        model.set_output_embeddings(QuantisedLinear(embeddings.quantised, bias))


def _of_a_tied_head(model: PreTrainedModel) -> set[str]:
    """Return the names under which the embeddings are listed a second time."""
    head = model.get_output_embeddings()
    if not isinstance(head, QuantisedLinear):
        return set()
    name = next(n for n, module in model.named_modules() if module is head)
    return {f"{name}.quantised.{buffer}" for buffer in head.quantised.state_dict()}
