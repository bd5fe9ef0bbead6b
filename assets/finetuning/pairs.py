"""Which objective goes with which method, and why the others do not.

A method says itself what it cannot train, by the objective or by the kind of model:

    methods/head.py     refusal("sft", "causal") -> "a causal model has no new head to learn"
"""

from assets.discovery import find, names

OBJECTIVES = "assets.finetuning.objectives"
METHODS = "assets.finetuning.methods"


def refusal(objective: str, method: str) -> str | None:
    """Return why the method cannot train the objective, None where it can.

    Raises ValueError for a name that does not exist.
    """
    kind = find(OBJECTIVES, objective).MODEL
    return find(METHODS, method).refusal(objective, kind)


def settings_refusal(
    method: str, gradient_checkpointing: bool, merge_adapter: bool, quantise: str | None
) -> str | None:
    """Return why a model of the method cannot be trained or finished so, None where it can."""
    module = find(METHODS, method)
    merges = getattr(module, "MERGES", False)
    if gradient_checkpointing and not getattr(module, "GRADIENT_CHECKPOINTING", True):
        return f"method {method!r} does not work with gradient_checkpointing: set it to false"
    if merge_adapter and not merges:
        merging = [m for m in names(METHODS) if getattr(find(METHODS, m), "MERGES", False)]
        return (
            f"method {method!r} has no adapter that could be merged into the weights; "
            f"these have: {', '.join(merging)}"
        )
    return parts_refusal(f"quantise: {quantise}", method, merge_adapter) if quantise else None


def parts_refusal(asked: str, method: str, merge_adapter: bool) -> str | None:
    """Return why a model that is saved in parts cannot be finished as `asked`, None if it can."""
    module = find(METHODS, method)
    if getattr(module, "MERGES", False) and not merge_adapter:
        return f"{asked} needs whole weights: add merge_adapter: true"
    if getattr(module, "KEEPS_THE_BASE", False):
        return (
            f"{asked} needs whole weights, and what {method!r} learns stays beside them; "
            "train with full, or with lora and merge_adapter: true"
        )
    return None


def is_hosted(method: str) -> bool:
    """Return whether the method trains at a service: then no model is loaded, or trained, here."""
    return bool(getattr(find(METHODS, method), "HOSTED", False))


def table() -> dict[tuple[str, str], str | None]:
    """Return every pair of objective and method, and what `refusal` says of it."""
    return {
        (objective, method): refusal(objective, method)
        for objective in names(OBJECTIVES)
        for method in names(METHODS)
    }


def page() -> str:
    """Return docs/pairs.md: the table, and the reason of each pair that cannot be."""
    found, methods = table(), names(METHODS)
    lines = [
        "# Objectives and methods",
        "",
        "Made by `python -m assets.finetuning.pairs > docs/pairs.md` from what methods refuse.",
        "",
        f"| | {' | '.join(methods)} |",
        f"|---|{'---|' * len(methods)}",
    ]
    for objective in names(OBJECTIVES):
        cells = ["yes" if found[objective, method] is None else "no" for method in methods]
        lines.append(f"| `{objective}` | {' | '.join(cells)} |")
    reasons = {(method, reason) for (_, method), reason in found.items() if reason}
    lines += ["", *(f"- `{method}`: {reason}." for method, reason in sorted(reasons))]
    return "\n".join(lines)


if __name__ == "__main__":
    print(page())
