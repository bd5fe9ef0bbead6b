"""What is done with a model after it has learnt: merged, averaged with others, quantised.

Imported inside jobs only: it loads torch. It works on the model as it was saved and loaded again,
so that what is compared is what others will load. The report that goes into the manifest:

    {"bytes_before": 90855944, "bytes_after": 12542440, "size_ratio": 7.24,
     "milliseconds_per_row_before": 35.8, "milliseconds_per_row_after": 40.6, "rows": 32,
     "largest_difference": {"merge_adapter": 3.1e-06, "nf4": 0.21}, "merge_tolerance": 0.0004}
"""

import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedModel

from assets.finetuning.adapters.merging import average_models
from assets.jobs import Say
from assets.loading import quantised
from assets.loading.models import inner_model, with_inner_model
from assets.loading.quantised_weight import Scheme

ROWS = 32  # that are measured
LAST = 16  # positions of a row that are compared: a vocabulary's logits at each are large
# The largest difference that merging may make, as a share of the largest output: what rounding to
# the precision of the weights, or of bitsandbytes' matrix products, can do.
TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.05, torch.float16: 0.01}


@dataclass(frozen=True)
class Measured:
    """What a model gives for some rows, in how long, and how large it is."""

    outputs: list[torch.Tensor]  # logits, or an encoder's last hidden state: one of each row
    milliseconds: float  # the median forward pass of one row
    bytes: int


def finish(
    model: Any,
    model_kind: str,
    rows: Sequence[Mapping[str, Any]],
    merge_adapter: bool,
    scheme: Scheme | None,
    say: Say,
    others: Sequence[tuple[PreTrainedModel, float]] = (),
) -> tuple[Any, dict[str, Any]]:
    """Return the finished model and the report on it.

    Args:
        model: a tuned model, as `load_weights` gives it.
        model_kind: its kind.
        rows: of training_examples, not trained on if possible; up to 32 of them are measured.
        merge_adapter: whether a low-rank adapter is merged into the weights.
        scheme: what the weights are quantised to, if at all.
        say: is told the differences.
        others: models of the same shapes, each with its share of the average; the rest is its own.

    Raises:
        ValueError: merging changed the outputs by more than rounding can, or one of the others has
            other shapes.
    """
    texts = list(sequences(rows))[:ROWS]
    inner = inner_model(model, model_kind)
    before = last = measure(inner, texts)
    differences: dict[str, float] = {}
    tolerance = None
    if merge_adapter:
        tolerance = TOLERANCE[_precision(inner)] * _largest(before.outputs)
        inner = merged(inner)
        last = measure(inner, texts)
        differences["merge_adapter"] = _difference(before, last)
        _check_merge(differences["merge_adapter"], tolerance)
    if others:
        given = [share for _, share in others]
        inner = average_models([inner, *(model for model, _ in others)], [1 - sum(given), *given])
        alone, last = last, measure(inner, texts)
        differences["average_with"] = _difference(alone, last)
    if scheme:
        inner, unquantised = quantised.quantise(inner, scheme), last
        last = measure(inner, texts)
        differences[scheme] = _difference(unquantised, last)
    say(
        "; ".join(f"{step} changed an output by {d:.2g} at most" for step, d in differences.items())
    )
    report = _report(before, last) | {"largest_difference": differences}
    finished = with_inner_model(model, model_kind, inner)
    return finished, report | {"merge_tolerance": tolerance, "rows": len(texts)}


def merged(model: Any) -> PreTrainedModel:
    """Return the base of a PEFT model with the low-rank adapter added into its weights."""
    if getattr(model.get_base_model(), "is_loaded_in_4bit", False):
        return _merged_in_full_precision(model)
    return model.merge_and_unload(safe_merge=True)


def _merged_in_full_precision(model: Any) -> PreTrainedModel:
    """Merge into the 4-bit weights turned back: quantised again, they would not be the same."""
    from peft import PeftModel

    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        base = model.unload()
        # bitsandbytes casts the biases to what it computes in; the whole model is of one dtype
        base = base.dequantize(dtype=base.dtype).to(base.dtype)
        return PeftModel.from_pretrained(base, folder).merge_and_unload(safe_merge=True)


def measure(model: Any, texts: Sequence[list[int]]) -> Measured:
    """Run a model over the token ids of each text alone."""
    device = next(model.parameters()).device
    outputs, seconds = [], []
    model.eval()
    with torch.inference_mode():
        for ids in [*texts[:1], *texts]:  # the first pass warms up
            batch = torch.tensor([ids], device=device)
            began = time.perf_counter()
            made = model(input_ids=batch, attention_mask=torch.ones_like(batch))
            outputs.append(_output(made).float().cpu())  # waits for a GPU
            seconds.append(time.perf_counter() - began)
    size = sum(t.numel() * t.element_size() for t in _own_memory(model))
    return Measured(outputs[1:], 1000 * statistics.median(seconds[1:]), size)


def sequences(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[int]]:
    """Yield the first token sequence of each row, whichever kind of example it is."""
    for row in rows:
        ids = row.get("input_ids") or row["chosen_input_ids"]
        yield list(ids[0] if isinstance(ids[0], (list, tuple)) else ids)


def _output(made: Any) -> torch.Tensor:
    output = made.logits if hasattr(made, "logits") else made.last_hidden_state
    return output[:, -LAST:] if output.dim() == 3 else output


def _own_memory(model: Any) -> Iterator[torch.Tensor]:
    """Yield the tensors that a file of the model would hold, each memory once."""
    seen = set()
    for tensor in model.state_dict().values():
        if isinstance(tensor, torch.Tensor) and tensor.data_ptr() not in seen:
            seen.add(tensor.data_ptr())
            yield tensor


def _precision(model: Any) -> torch.dtype:
    """Return the coarsest precision that the model computes in."""
    config = getattr(model.get_base_model(), "quantization_config", None) or getattr(
        model.config, "quantization_config", None
    )
    return getattr(config, "bnb_4bit_compute_dtype", None) or model.dtype


def _difference(one: Measured, other: Measured) -> float:
    pairs = zip(one.outputs, other.outputs, strict=True)
    return max(float((a - b).abs().max()) for a, b in pairs)


def _largest(outputs: Sequence[torch.Tensor]) -> float:
    return max(float(output.abs().max()) for output in outputs)


def _check_merge(difference: float, tolerance: float) -> None:
    if not difference <= tolerance:  # NaN too
        raise ValueError(
            f"merging the adapter changed an output by {difference:.2g}, more than the "
            f"{tolerance:.2g} that rounding explains: the merged model is another one. Leave "
            "merge_adapter out, or train with the base in float32"
        )


def _report(before: Measured, after: Measured) -> dict[str, Any]:
    return {
        "bytes_before": before.bytes,
        "bytes_after": after.bytes,
        "size_ratio": round(before.bytes / after.bytes, 2),
        "milliseconds_per_row_before": round(before.milliseconds, 3),
        "milliseconds_per_row_after": round(after.milliseconds, 3),
    }
