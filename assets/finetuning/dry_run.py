"""What a step of training holds beside the weights, from a dry run on tensors without data. Heavy.

The model is built from its configuration, the method is applied, and one forward and backward pass
runs in torch's FakeTensorMode: every tensor that would be made and freed is, but holds no numbers,
and its size is added up. So no architecture and no method is known here by name.

    a Llama of 57 M parameters, lora, 2 rows of 512 tokens ->
    weights 115 MB, at the peak: activations 233 MB, logits 755 MB, gradients 3 MB
"""

import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

# Bytes that a 4-bit weight costs beside its half byte: each 64 of them share a scale.
SCALES, SCALES_IN_FLOAT = 1 / 64, 4 / 64  # in 8 bits by double quantisation, or not


@dataclass(frozen=True)
class Batch:
    """One micro-batch, its shape only."""

    model_kind: str  # a ModelKind
    rows: int  # sequences, every text of a pair counted
    tokens: int  # of the longest of them
    labelled: int | None = None  # positions that reach the vocabulary; None: all of them
    bf16: bool = False  # autocast
    accumulates: bool = False  # the step takes more than one, so gradients stay meanwhile
    device: str = "cpu"


@dataclass(frozen=True)
class Held:
    """Bytes that a step holds at its peak, and what learns."""

    weights: int
    unpacked: int  # the 4-bit ones of them, as their file has them
    activations: int
    logits: int
    gradients: int  # at that peak
    all_gradients: int  # when the optimizer steps
    largest_matrix: int  # of a multiplication, in the type that it is computed in
    trainable: int  # parameters
    total: int


def dry_run(
    build: Callable[[int | None], nn.Module],
    layers: int,
    batch: Batch,
    quantization: Mapping[str, Any] | None = None,
) -> Held:
    """Return what training the model of `build(None)`, on meta and with its method, holds.

    A model of many layers is run with four and with six of them (`build(4)`, `build(6)`), as what
    is held grows by the same with each; where that does not hold, the whole is run.
    """
    whole = build(None)
    learning = [p for p in whole.parameters() if p.requires_grad]
    trainable = sum(p.numel() for p in learning)
    peak = _extrapolated(build, layers, batch, quantization, trainable) if layers > 10 else None
    peak = peak or _peak(build(None), batch, quantization)
    matrices = [m.weight.numel() for m in whole.modules() if isinstance(m, nn.Linear)]
    return Held(
        weights=_weights(whole, quantization),
        unpacked=sum(
            m.weight.numel() * m.weight.element_size() for m in _packed(whole, quantization)
        ),
        **peak,
        all_gradients=sum(p.numel() * p.element_size() for p in learning),
        largest_matrix=max(matrices, default=0) * (2 if batch.bf16 else 4),
        trainable=trainable,
        total=sum(p.numel() for p in whole.parameters()),
    )


def _extrapolated(
    build: Callable[[int | None], nn.Module],
    layers: int,
    batch: Batch,
    quantization: Mapping[str, Any] | None,
    trainable: int,
) -> dict[str, int] | None:
    try:
        few, more = build(4), build(6)
    except ValueError:  # the method wants more layers than these
        return None
    steps = (layers - 4) / 2
    learns, learn = (sum(p.numel() for p in m.parameters() if p.requires_grad) for m in (few, more))
    if learns + steps * (learn - learns) != trainable:
        return None
    low, high = _peak(few, batch, quantization), _peak(more, batch, quantization)
    if low["logits"] != high["logits"]:  # two peaks, of different moments
        return None
    return {kind: round(low[kind] + steps * (high[kind] - low[kind])) for kind in low}


def _peak(model: nn.Module, batch: Batch, quantization: Mapping[str, Any] | None) -> dict[str, int]:
    for module in _packed(model, quantization):  # unpacked, they are of the type of the product
        weight = module.weight
        dtype = torch.bfloat16 if batch.bf16 else weight.dtype
        module.weight = nn.Parameter(weight.to(dtype), requires_grad=False)
    with FakeTensorMode(allow_non_fake_inputs=True):  # a prefix counts its tokens in real ones
        _without_data(model, batch.device)
        live = _Live(cast(Any, model).config.get_text_config().vocab_size)
        live.know(model)
        with live:
            for _ in range(2 if batch.accumulates else 1):
                _loss(model, batch).backward()
    return {kind: live.peak[kind] for kind in ("activations", "logits", "gradients")}


def _weights(model: nn.Module, quantization: Mapping[str, Any] | None) -> int:
    """Return the bytes of all weights as they are kept."""
    scales = SCALES if (quantization or {}).get("bnb_4bit_use_double_quant") else SCALES_IN_FLOAT
    packed = {id(m.weight): m.weight.numel() for m in _packed(model, quantization)}
    plain = [p for p in model.parameters() if id(p) not in packed]
    return sum(p.numel() * p.element_size() for p in plain) + round(
        sum(packed.values()) * (0.5 + scales)
    )


def _packed(model: nn.Module, quantization: Mapping[str, Any] | None) -> list[nn.Linear]:
    """Return the matrices that bitsandbytes keeps in 4 bits: frozen, and no head."""
    if not quantization:
        return []
    kept = set(quantization.get("llm_int8_skip_modules") or ("lm_head",))
    return [
        module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear)
        and not module.weight.requires_grad
        and not kept & set(name.split("."))
    ]


class _Live(TorchDispatchMode):
    """Adds up the storages that are alive, and remembers the most that were."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.alive: dict[int, tuple[str, int]] = {}
        self.now: Counter[str] = Counter()
        self.peak: Counter[str] = Counter()

    def know(self, model: nn.Module) -> None:
        """Leave the model's own tensors out, and tell its gradients from what only passes by."""
        for tensor in [*model.parameters(), *model.buffers()]:
            self.alive[tensor.untyped_storage()._cdata] = ("weights", 0)
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.register_post_accumulate_grad_hook(self._is_gradient)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        tree_map_only(torch.Tensor, self._made, made)
        return made

    def _made(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage._cdata in self.alive:
            return
        logits = tensor.dim() > 1 and tensor.shape[-1] == self.vocabulary
        kind = "logits" if logits else "activations"
        self.alive[storage._cdata] = (kind, storage.nbytes())
        weakref.finalize(storage, self._freed, storage._cdata)
        self.now[kind] += storage.nbytes()
        if self.now.total() > self.peak.total():
            self.peak = self.now.copy()

    def _freed(self, key: int) -> None:
        kind, size = self.alive.pop(key)
        self.now[kind] -= size

    def _is_gradient(self, parameter: torch.Tensor) -> None:
        key = cast(torch.Tensor, parameter.grad).untyped_storage()._cdata
        kind, size = self.alive[key]
        self.alive[key] = ("gradients", size)
        self.now[kind] -= size
        self.now["gradients"] += size


def _without_data(model: nn.Module, device: str) -> None:
    """Put tensors without data, tied where they were tied, in the place of those on meta."""
    made: dict[int, Any] = {}
    for module in model.modules():
        kinds: tuple[dict[str, Any], ...] = (module._parameters, module._buffers)
        for tensors in kinds:
            for name, tensor in tensors.items():
                if tensor is None:
                    continue
                if id(tensor) not in made:
                    empty = torch.empty(tensor.shape, dtype=tensor.dtype, device=device)
                    learns = tensor.requires_grad
                    is_weight = isinstance(tensor, nn.Parameter)
                    made[id(tensor)] = nn.Parameter(empty, learns) if is_weight else empty
                tensors[name] = made[id(tensor)]


def _loss(model: nn.Module, batch: Batch) -> torch.Tensor:
    shape = (batch.rows, batch.tokens)
    ids = torch.zeros(shape, dtype=torch.long, device=batch.device)
    inputs: dict[str, Any] = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if batch.model_kind == "causal":
        inputs["use_cache"] = False
    if (batch.model_kind == "causal" and batch.labelled is None) or batch.model_kind == "tokens":
        inputs["labels"] = ids
    elif batch.model_kind == "sequence":
        inputs["labels"] = ids[:, 0]
    with torch.autocast(torch.device(batch.device).type, torch.bfloat16, enabled=batch.bf16):
        with _projecting(model, batch.labelled):
            found = model(**inputs)
        if "labels" in inputs:
            return found.loss
        if batch.model_kind == "embedding":
            return found.last_hidden_state.float().mean()
        if batch.model_kind == "score":
            return found.logits.float().mean()
        return nn.functional.cross_entropy(found.logits.float(), found.logits.argmax(-1))


@contextmanager
def _projecting(model: nn.Module, labelled: int | None) -> Iterator[None]:
    """Let the head see so many positions, as the loss over labelled positions does."""
    if labelled is None:
        yield
        return
    head = cast(Any, model).get_output_embeddings()
    hook = head.register_forward_pre_hook(lambda _, given: given[0].flatten(0, 1)[:labelled])
    try:
        yield
    finally:
        hook.remove()
