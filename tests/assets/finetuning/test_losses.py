"""Losses over accumulated batches: four small ones are one large one."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

from assets.finetuning.losses import binary_cross_entropy, cross_entropy
from tests.assets.finetuning import tiny

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.1, 0.2, 0.3], [-1.0, 3.0, 0.0]])
LABELS = torch.tensor([0, -100, 2])


def test_what_is_masked_counts_neither_as_loss_nor_as_a_label() -> None:
    outputs = SimpleNamespace(logits=LOGITS[None])
    mean = cross_entropy(0.0)(outputs, LABELS[None])
    summed = cross_entropy(0.0)(outputs, LABELS[None], num_items_in_batch=torch.tensor(2))
    wanted = -(LOGITS.log_softmax(-1)[0, 0] + LOGITS.log_softmax(-1)[2, 2]) / 2
    torch.testing.assert_close(mean, wanted)
    torch.testing.assert_close(summed, wanted)


def test_smoothing_shares_a_label_with_the_other_one() -> None:
    outputs = SimpleNamespace(logits=torch.tensor([[1.5], [-0.5]]))
    wanted = functional.binary_cross_entropy(
        torch.sigmoid(torch.tensor([1.5, -0.5])), torch.tensor([0.95, 0.05])
    )
    torch.testing.assert_close(binary_cross_entropy(0.1)(outputs, torch.tensor([1, 0])), wanted)


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["classify", "classify_tokens", "rerank"])
def test_four_rows_at_once_are_one_row_four_times(objective: str, tmp_path: Path) -> None:
    section = {"max_steps": 2, "dropout": 0.0, "lr_scheduler_type": "constant", "warmup_steps": 0}
    section |= {"learning_rate": 0.01, "optim": "sgd", "max_grad_norm": 1e6}
    whole, _ = tiny.train(tmp_path, objective, "full", "whole", **section)
    parts = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 4}
    split, _ = tiny.train(tmp_path, objective, "full", "split", **section, **parts)
    ones, others = (load_file(f / "model" / "model.safetensors") for f in (whole, split))
    for name, weight in ones.items():
        torch.testing.assert_close(others[name], weight, rtol=1e-4, atol=1e-5, msg=name)
