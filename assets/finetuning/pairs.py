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


def table() -> dict[tuple[str, str], str | None]:
    """Return every pair of objective and method, and what `refusal` says of it."""
    return {
        (objective, method): refusal(objective, method)
        for objective in names(OBJECTIVES)
        for method in names(METHODS)
    }
