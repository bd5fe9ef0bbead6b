"""How a tuned model is written: `assets.loading.models.load_tuned` gives the very same again."""

from pathlib import Path
from typing import Any

from assets.loading import bottleneck, quantised
from assets.loading.models import inner_model


def save_model(model: Any, model_kind: str, folder: Path) -> None:
    """Write whole weights, or the adapter alone where the method left the base as it was."""
    inner = inner_model(model, model_kind)
    if hasattr(inner, "quantised_scheme"):
        if model_kind == "embedding":  # what lies around the encoder: pooling, prompts
            model.save_pretrained(str(folder))
            (folder / "model.safetensors").unlink()
        quantised.save(inner, folder)
    elif bottleneck.has_bottlenecks(inner):
        bottleneck.save(inner, folder)
    elif hasattr(inner, "peft_config"):
        inner.save_pretrained(str(folder))
    else:
        model.save_pretrained(str(folder))
