"""Whether a training fits into the memory at hand, and the settings that would make it fit.

    the training needs 34.1 GB (process 0.6, weights 8.2, …), the GPU has 23.7 GB. What would fit:
    gradient_checkpointing: true (21.3 GB); method: lora (18.8 GB)

Each of them is checked by the estimate itself.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from assets.discovery import find, options_of
from assets.finetuning.memory import Estimate, Plan, estimate, gigabytes
from assets.finetuning.pairs import METHODS

SHORTEST = 64  # tokens; a shorter max_length is no advice
Changed = tuple[str, Plan]  # a setting in words, and the plan that has it


def refusal(plan: Plan, needed: Estimate, available: int, device: str) -> str | None:
    """Return why `plan`, which needs `needed`, does not fit, and what would; None where it fits."""
    if needed.total <= available:
        return None
    fitting = would_fit(plan, lambda changed: estimate(changed, needed.process).total, available)
    advice = "; ".join(fitting) or "none of these settings: take a smaller base_model"
    return (
        f"the training needs {needed}, {device} has {gigabytes(available)} GB. "
        f"What would fit: {advice}"
    )


def would_fit(plan: Plan, size: Callable[[Plan], int], available: int) -> list[str]:
    """Return single settings that fit, the least change of each; where none does, several."""
    found = []
    for change in CHANGES:
        for words, changed in change(plan):
            if (needed := size(changed)) <= available:
                found.append(f"{words} ({gigabytes(needed)} GB)")
                break
    return found or _together(plan, size, available)


def _together(plan: Plan, size: Callable[[Plan], int], available: int) -> list[str]:
    """Return one change after another, each at its most, until all together fit."""
    said: list[str] = []
    for change in CHANGES:
        for words, plan in list(change(plan))[-1:]:  # noqa: B020 - each starts from the last
            said.append(words)
            if len(said) > 1 and (needed := size(plan)) <= available:
                return [f"{' with '.join(said)} ({gigabytes(needed)} GB)"]
    return []


def _smaller_batch(plan: Plan) -> Iterator[Changed]:
    rows = plan.settings["per_device_train_batch_size"]
    step = rows * plan.settings["gradient_accumulation_steps"]
    while rows > 1:
        rows //= 2
        settings = {
            "per_device_train_batch_size": rows,
            "gradient_accumulation_steps": -(-step // rows),
        }
        yield ", ".join(f"{k}: {v}" for k, v in settings.items()), _with(plan, settings)


def _checkpointing(plan: Plan) -> Iterator[Changed]:
    able = getattr(find(METHODS, plan.manifest["method"]), "GRADIENT_CHECKPOINTING", True)
    if able and not plan.settings["gradient_checkpointing"]:
        changed = _with(plan, {"gradient_checkpointing": True})
        yield "gradient_checkpointing: true", changed


def _eight_bit(plan: Plan) -> Iterator[Changed]:
    if "8bit" not in plan.settings["optim"]:
        yield "optim: adamw_bnb_8bit", _with(plan, {"optim": "adamw_bnb_8bit"})


def _low_rank(plan: Plan) -> Iterator[Changed]:
    return _other_method(plan, "lora", below=("lora", "dora", "qlora"))


def _quantised(plan: Plan) -> Iterator[Changed]:
    return _other_method(plan, "qlora", below=("qlora",))


def _other_method(plan: Plan, name: str, below: tuple[str, ...]) -> Iterator[Changed]:
    """Yield the method `name` with its own defaults, where the present one needs more."""
    if plan.manifest["method"] in below:
        return
    try:
        method = find(METHODS, name)
    except ValueError:
        return
    if method.refusal(plan.manifest["objective"], plan.manifest["model_kind"]) is None:
        options = options_of(METHODS, name)()
        quantization = method.quantization(options) if hasattr(method, "quantization") else None
        changed = {"method": name, "method_options": options.model_dump(mode="json")}
        yield (
            f"method: {name}",
            replace(plan, manifest={**plan.manifest, **changed, "quantization": quantization}),
        )


def _shorter(plan: Plan) -> Iterator[Changed]:
    tokens = plan.tokens
    while tokens // 2 >= SHORTEST:
        tokens //= 2
        labelled = None if plan.labelled is None else min(plan.labelled, tokens)
        yield f"templating.max_length: {tokens}", replace(plan, tokens=tokens, labelled=labelled)


def _with(plan: Plan, settings: Mapping[str, object]) -> Plan:
    return replace(plan, settings={**plan.settings, **settings})


# The first keep what is learnt as it is; a shorter text, which loses some of it, comes last.
CHANGES = (_smaller_batch, _checkpointing, _eight_bit, _low_rank, _quantised, _shorter)
