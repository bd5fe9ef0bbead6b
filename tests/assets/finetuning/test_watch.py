from types import SimpleNamespace
from typing import Any

import pytest

from assets.finetuning import watch
from assets.finetuning.watch import Watch, memory_mb


def state(step: int, epoch: float) -> Any:
    return SimpleNamespace(global_step=step, max_steps=100, epoch=epoch, stateful_callbacks={})


def test_a_line_says_loss_gradient_speed_memory_and_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    clock = iter([0.0, 10.0, 10.0])
    monkeypatch.setattr(watch.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(watch, "memory_mb", lambda: 2950.0)
    seen = Watch(said.append, "sft by lora", tokens_an_epoch=1000)
    seen.on_train_begin(None, state(0, 0.0), None)  # type: ignore[arg-type]
    logs = {"loss": 2.318, "grad_norm": 0.84, "learning_rate": 1e-4, "epoch": 0.5}
    seen.on_log(None, state(20, 0.5), None, logs)  # type: ignore[arg-type]
    assert said == [
        "sft by lora: step 20/100, loss 2.318, grad_norm 0.84, 50 tokens/s, 2,950 MB, 40 s left"
    ]
    assert seen.history[0]["tokens_per_second"] == 50
    assert seen.history[0]["step"] == 20


def test_a_line_without_a_loss_is_not_kept() -> None:
    seen = Watch(pytest.fail, "sft by lora")
    seen.on_log(None, state(20, 0.5), None, {"train_runtime": 3.0})  # type: ignore[arg-type]
    assert seen.history == []


def test_memory_is_what_the_process_holds() -> None:
    assert 50 < memory_mb() < 100_000
