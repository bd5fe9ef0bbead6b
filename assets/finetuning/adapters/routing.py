"""Several adapters on one base: a field of the row says which of them it trains and is answered by.

adapters_by: queue
adapters: [billing, technical]               the average of both answers every other row
adapters: {billing: 2, technical: 1}         a weighted average
"""

from typing import TYPE_CHECKING

from assets.discovery import find
from assets.finetuning.pairs import METHODS, OBJECTIVES

if TYPE_CHECKING:
    from assets.finetuning.config import FinetuningConfig


def adapter_weights(config: "FinetuningConfig") -> dict[str, float]:
    """Return route -> weight in the average; nothing where there is one model for all rows."""
    named = config.adapters or {}
    return dict(named) if isinstance(named, dict) else dict.fromkeys(named, 1.0)


def routing_refusal(config: "FinetuningConfig") -> str | None:
    """Return why the section's adapters cannot be, None where they can or there are none."""
    weights = adapter_weights(config)
    if not weights and config.adapters_by is None:
        return None
    if len(weights) < 2 or config.adapters_by is None:
        return "several adapters need adapters_by, a field of the rows, and adapters, two values"
    if any(not name.isidentifier() or name == "model" for name in weights):
        return f"adapters {sorted(weights)}: a name is letters, digits and _"
    if min(weights.values()) < 0 or not sum(weights.values()):
        return f"adapters {weights}: a weight is 0 or more, and one of them above"
    if not getattr(find(METHODS, config.method), "AVERAGES", False):
        return f"method {config.method!r} makes no adapters that can be averaged: use lora or qlora"
    if find(OBJECTIVES, config.objective).EXAMPLES != "chat":
        return f"objective {config.objective!r} has no rows that several adapters could share out"
    if config.sweep or config.merge_adapter or config.average_with or config.quantise:
        return "several adapters go with none of sweep, merge_adapter, average_with and quantise"
    return None
