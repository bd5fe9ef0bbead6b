"""How a training speaks of itself while it runs: a line every so many steps, and its history.

sft by lora: step 40/120, loss 2.318, grad_norm 0.84, 372 tokens/s, 2,950 MB, 96 s left
"""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import ExportableState

from assets.finetuning.resuming import stored
from assets.jobs import Say

# What the history keeps of a log line: of every training, of grpo, of dpo.
KEPT = (
    *("loss", "eval_loss", "learning_rate", "grad_norm"),
    *("reward", "eval_reward", "rewards/margins", "eval_rewards/margins"),
)
History = list[dict[str, float]]


@dataclass
class Watch(TrainerCallback, ExportableState):
    """Says loss, gradient norm, speed and memory as they come; keeps them for the curves."""

    say: Say
    title: str
    tokens_an_epoch: int = 0  # of the rows, padding not counted; 0: speed is not said
    history: History = field(default_factory=list)
    _at: tuple[float, float] = (0.0, 0.0)  # seconds and epoch of the last line
    _began: tuple[float, int] = (0.0, 0)  # seconds and step of the start

    def state(self) -> dict[str, History]:
        """Return what a checkpoint keeps of it."""
        return {"history": self.history}

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: object,
    ) -> None:
        """Start the clock; at a later step, with its history, where a training is resumed."""
        self.history = list(stored(state, self).get("history", []))
        now = time.monotonic()
        self._at, self._began = (now, state.epoch or 0.0), (now, state.global_step)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: object,
    ) -> None:
        """Record and say one line of transformers' log."""
        entry = {name: float(value) for name, value in (logs or {}).items() if name in KEPT}
        if not {"loss", "eval_loss"} & entry.keys():
            return
        if "loss" in entry:
            entry |= self._speed(state) | {"memory_mb": memory_mb()}
        self.history.append({"step": state.global_step, **entry})
        place = f"step {state.global_step}/{state.max_steps}"
        self.say(f"{self.title}: {place}, {', '.join(_shown(entry))}, {self._left(state)} s left")

    def _speed(self, state: TrainerState) -> dict[str, float]:
        (seconds, epoch), now = self._at, time.monotonic()
        self._at = (now, state.epoch or 0.0)
        if not self.tokens_an_epoch or now <= seconds:
            return {}
        tokens = self.tokens_an_epoch * (self._at[1] - epoch)
        return {"tokens_per_second": round(tokens / (now - seconds), 1)}

    def _left(self, state: TrainerState) -> int:
        seconds, step = self._began
        done = max(state.global_step - step, 1)
        return round((time.monotonic() - seconds) / done * (state.max_steps - state.global_step))


def memory_mb() -> float:
    """Return what the process holds now: on the GPU where there is one, else resident, in MiB."""
    if torch.cuda.is_available():
        return round(torch.cuda.memory_allocated() / 2**20, 1)
    pages = Path("/proc/self/statm")
    if not pages.exists():  # not Linux
        return 0.0
    return round(int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def _shown(entry: dict[str, float]) -> list[str]:
    forms = {
        "loss": "loss {:.3f}",
        "eval_loss": "eval_loss {:.3f}",
        "reward": "reward {:.3f}",
        "rewards/margins": "margin {:.3f}",
        "grad_norm": "grad_norm {:.3g}",
        "tokens_per_second": "{:,.0f} tokens/s",
        "memory_mb": "{:,.0f} MB",
    }
    return [form.format(entry[name]) for name, form in forms.items() if name in entry]
