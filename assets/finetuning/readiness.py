"""The last look before any weight is read: settings, base, disk and memory, all at once. Heavy.

It gathers what `preflight` and `fitting` judge.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from assets.discovery import find
from assets.finetuning import device, preflight
from assets.finetuning.fitting import refusal
from assets.finetuning.memory import RAGGED_LENGTHS, Estimate, Plan, estimate
from assets.finetuning.pairs import OBJECTIVES
from assets.jobs import Say

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from assets.finetuning.training import Row

KEPT_CHECKPOINTS = 2  # the last one and the one that is being written


@dataclass(frozen=True)
class Ready:
    """A training that may begin, and the memory that it is thought to need."""

    estimate: Estimate
    device: device.Device

    def figures(self) -> dict[str, Any]:
        """Return the estimate by parts, in bytes, for the manifest."""
        return {
            "estimated": self.estimate.parts(),
            "estimated_total": self.estimate.total,
            "available": self.device.available,
            "convention": self.estimate.convention,
        }


def require_ready(
    manifest: dict[str, Any],
    train: "list[Row]",
    evaluated: "list[Row]",
    tokenizer: "PreTrainedTokenizerBase",
    folder: Path,
    teacher: str | None,
    say: Say,
) -> Ready:
    """Return the estimate; ValueError that lists every problem where there is one."""
    _load_libraries(find(OBJECTIVES, manifest["objective"]))
    words = preflight.vocabulary(tokenizer, _config(manifest), _virtual_tokens(manifest))
    found = preflight.check(train, evaluated, manifest["settings"], words)
    plan, here = _plan(manifest, [*train, *evaluated], _weights_of(teacher)), device.device()
    needed = estimate(plan, here.process)
    problems = [
        *found.problems,
        *preflight.disk_problems(
            shutil.disk_usage(folder).free, needed.saved, needed.optimizer, KEPT_CHECKPOINTS
        ),
        *filter(None, [refusal(plan, needed, here.available, here.name)]),
    ]
    if problems:
        lines = "\n".join(f"- {problem}" for problem in problems)
        raise ValueError(f"the training cannot work, nothing was trained:\n{lines}")
    for hint in found.hints:
        say(f"hint: {hint}")
    say(f"memory: about {needed} of {here.available / 1e9:.3g} GB that {here.name} has")
    return Ready(needed, here)


def _load_libraries(objective: ModuleType) -> None:
    """Load what the trainer will load, so that it counts among what the process holds already."""
    for name in ("transformers.trainer", *getattr(objective, "LIBRARIES", ())):
        import_module(name)


def _config(manifest: dict[str, Any]) -> Any:
    from transformers import AutoConfig

    base = manifest["base_model"]
    return AutoConfig.from_pretrained(base["path"], revision=base["revision"])


def _virtual_tokens(manifest: dict[str, Any]) -> int:
    return manifest["method_options"].get("num_virtual_tokens", 0)


def _weights_of(teacher: str | None) -> int:
    """Return the bytes of the teacher's weights in its folder; those of a hub id are not known."""
    if teacher is None or not Path(teacher).is_dir():
        return 0
    return sum(file.stat().st_size for file in Path(teacher).rglob("*.safetensors"))


def _plan(manifest: dict[str, Any], rows: "Sequence[Row]", other_models: int) -> Plan:
    from assets.finetuning.levers import computes_bf16, micro_batched, row_tokens

    objective = find(OBJECTIVES, manifest["objective"])
    settings = micro_batched(manifest["settings"], objective, rows)
    labelled_only = getattr(objective, "LABELLED_ONLY", False)
    return Plan(
        manifest=manifest,
        settings=settings,
        tokens=max(preflight.longest(rows), 1),
        texts=max((len(preflight.sequences(row)) for row in rows), default=1),
        labelled=preflight.most_labelled(rows) if labelled_only else None,
        bf16=computes_bf16() if settings["bf16"] is None else settings["bf16"],
        device=device.device().kind,
        other_models=other_models,
        ragged=len({row_tokens(row) for row in rows}) > RAGGED_LENGTHS,
    )
