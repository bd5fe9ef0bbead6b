"""The memory that a training needs, by parts, from its configuration alone.

    needs 11.4 GB: weights 2.2, gradients 2.2, optimizer 4.4, activations 1.6, logits 0.4, …

Every figure is in bytes at the peak of a step. Rules of thumb give bytes a parameter, and differ by
what they count: each `Convention` says it, so that a figure can be compared with another.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from assets.discovery import find, options_of
from assets.finetuning.pairs import METHODS

if TYPE_CHECKING:
    from assets.finetuning.dry_run import Batch

# Bytes that an optimizer keeps a trainable parameter; torch's AdamW keeps two moments in float32.
OPTIMIZER_BYTES: Mapping[str, float] = {
    **dict.fromkeys(("adamw_torch", "adamw_torch_fused", "paged_adamw_32bit"), 8),
    **dict.fromkeys(("adamw_bnb_8bit", "adamw_8bit", "paged_adamw_8bit"), 2 + 2 * 4 / 256),
    **dict.fromkeys(("lion_32bit", "paged_lion_32bit", "rmsprop", "adagrad"), 4),
    **dict.fromkeys(("lion_8bit", "paged_lion_8bit", "rmsprop_bnb_8bit"), 1 + 4 / 256),
    **dict.fromkeys(("sgd", "adafactor"), 0),  # adafactor's is a row and a column of each matrix
}
UNKNOWN_OPTIMIZER = 8
# What a process on a CPU takes while it trains, beside its tensors: measured, see bench/memory.py.
KERNELS = 100 << 20  # code and buffers of torch's and oneDNN's kernels
FRAGMENTS = 0.1  # of what is made and freed in a step: holes that malloc cannot fill
# The same where rows have more than RAGGED_LENGTHS lengths: a kernel for each shape, more holes.
RAGGED_LENGTHS = 4
RAGGED_KERNELS = 300 << 20
RAGGED_FRAGMENTS = 0.2


@dataclass(frozen=True)
class Convention:
    """Bytes a parameter, and whose gradients are counted."""

    name: str
    frozen: float  # a weight that does not learn
    trained: float  # a weight that does, master copy included
    gradient: float
    optimizer: float
    gradients_of_frozen: bool = False

    def bytes(self, trainable: float, frozen: float = 0) -> float:
        """Return weights, gradients and optimizer states together; no activations."""
        gradients = trainable + (frozen if self.gradients_of_frozen else 0)
        return (
            frozen * self.frozen
            + trainable * (self.trained + self.optimizer)
            + gradients * self.gradient
        )


MIXED_ADAM = Convention("16-bit mixed precision, fp32 master copy, Adam", 2, 2 + 4, 2, 8)
MIXED_ADAM_NO_MASTER = Convention("the same without a master copy", 2, 2, 2, 8)
FOUR_BIT = Convention("4-bit base, what learns as in mixed precision", 0.5, 2 + 4, 2, 8)


def low_rank_parameters(rows: int, columns: int, r: int) -> int:
    """Return what LoRA trains of a matrix: B of rows × r and A of r × columns."""
    return r * (rows + columns)


@dataclass(frozen=True)
class Plan:
    """What is trained how, as far as memory depends on it."""

    manifest: Mapping[str, Any]  # base_model, model_kind, labels, dtype, quantization, method, …
    settings: Mapping[str, Any]  # of the training
    tokens: int  # of the longest sequence
    texts: int = 1  # sequences a row: two of a preference
    labelled: int | None = None  # labelled positions of a row where only they are projected
    bf16: bool = False
    device: str = "cpu"
    other_models: int = 0  # bytes of a teacher or reference model beside
    ragged: bool = False  # rows of many lengths


@dataclass(frozen=True)
class Estimate:
    """Bytes at the peak of a step, by parts."""

    process: int  # before any weight is read
    weights: int
    file: int  # of a base packed into 4 bits, mapped and resident; the kernel may drop it
    gradients: int
    optimizer: int
    activations: int
    logits: int
    overhead: int
    convention: str
    saved: int = 0  # bytes of the weights that are saved: an adapter's, or all

    @property
    def total(self) -> int:
        """Return all parts together."""
        return sum(self.parts().values())

    def parts(self) -> dict[str, int]:
        """Return the parts by name."""
        left_out = ("convention", "saved")
        return {name: v for name, v in asdict(self).items() if name not in left_out}

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {gigabytes(v)}" for name, v in self.parts().items() if v)
        return f"{gigabytes(self.total)} GB ({parts})"


def estimate(plan: Plan, process: int = 0) -> Estimate:
    """Return what `plan` needs; `process` is what the process holds already."""
    from assets.finetuning.dry_run import dry_run

    whole = _skeleton(plan, None)
    layers = whole.config.get_text_config().num_hidden_layers
    held = dry_run(
        lambda n: _skeleton(plan, n), layers, _batch(plan), plan.manifest["quantization"]
    )
    optim = plan.settings["optim"]
    states = OPTIMIZER_BYTES.get(optim, UNKNOWN_OPTIMIZER)
    forward = held.activations + held.logits + held.gradients
    stepping = forward < held.all_gradients  # with few activations the optimizer's step is the peak
    moving = held.all_gradients if stepping else forward
    on_cpu = plan.device == "cpu"
    kernels = (RAGGED_KERNELS if plan.ragged else KERNELS) + held.largest_matrix
    fragments = RAGGED_FRAGMENTS if plan.ragged and on_cpu else FRAGMENTS
    return Estimate(
        process=process,
        weights=held.weights + plan.other_models,
        file=held.unpacked if on_cpu and _as_stored(plan) else 0,
        gradients=held.all_gradients if stepping else held.gradients,
        optimizer=round(held.trainable * states),
        activations=0 if stepping else held.activations,
        logits=0 if stepping else held.logits,
        overhead=round((kernels if on_cpu else 0) + fragments * moving),
        saved=held.all_gradients if hasattr(whole, "peft_config") else held.weights,
        convention=f"weights as they are kept, gradients of what learns only, {states:.3g} bytes "
        f"a trainable parameter for {optim}, activations of a dry run without data",
    )


def gigabytes(size: float) -> str:
    """Return a size in words, as "11.4"."""
    return f"{size / 1e9:.3g}"


def _batch(plan: Plan) -> "Batch":
    from assets.finetuning.dry_run import Batch

    rows = plan.settings["per_device_train_batch_size"]
    return Batch(
        model_kind=plan.manifest["model_kind"],
        rows=rows * plan.texts,
        tokens=plan.tokens,
        labelled=None if plan.labelled is None else rows * plan.texts * plan.labelled,
        bf16=plan.bf16,
        accumulates=plan.settings["gradient_accumulation_steps"] > 1,
        device=plan.device,
    )


def _as_stored(plan: Plan) -> bool:
    """Return whether the base is loaded in its file's own type: then the file stays mapped."""
    from assets.loading.models import without_weights

    stored = without_weights({**plan.manifest, "dtype": None}, 1).dtype
    return plan.manifest.get("dtype") in (None, str(stored).removeprefix("torch."))


def _skeleton(plan: Plan, layers: int | None) -> Any:
    """Return the model with the method applied, without weights, of so many layers."""
    from assets.finetuning.levers import attend
    from assets.loading.models import without_weights

    manifest = plan.manifest
    model = without_weights(manifest, layers)
    method = find(METHODS, manifest["method"])
    options = options_of(METHODS, manifest["method"])(**manifest["method_options"])
    model = method.apply(model, options, manifest["model_kind"])
    attend(model, plan.tokens)
    if plan.settings["gradient_checkpointing"]:
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.enable_input_require_grads()
    return model
