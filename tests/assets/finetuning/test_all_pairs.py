"""Every valid pair of objective and method trains a tiny model, and comes back from the disk."""

from pathlib import Path
from typing import Any

import pytest
import torch

from assets.discovery import find
from assets.finetuning.pairs import OBJECTIVES, is_hosted, table
from assets.finetuning.preparing import prepare
from assets.finetuning.saving import save
from assets.finetuning.training import train
from assets.jobs import write_json
from assets.loading.models import load_tuned
from tests.assets.finetuning import tiny

VALID = [pair for pair, why in table().items() if why is None and not is_hosted(pair[1])]
# What a kind of model has and does not use: it may be trainable and gets no gradient.
UNUSED = {"embedding": ("pooler",), "tokens": ("pooler",)}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pairs")


@pytest.mark.slow
@pytest.mark.parametrize(("objective", "method"), VALID, ids=map("+".join, VALID))
def test_what_should_move_moves_nothing_else_does_and_it_loads_as_it_was(
    objective: str, method: str, root: Path
) -> None:
    folder = root / f"{objective}-{method}"
    (folder / "trainer").mkdir(parents=True)
    asked = tiny.job(tiny.config(objective, method, max_steps=3), root)
    manifest, training = prepare(asked, folder, lambda line: None)
    before = {name: p.detach().clone() for name, p in training.model.named_parameters()}
    learns = {name: p.requires_grad for name, p in training.model.named_parameters()}
    train(find(OBJECTIVES, objective).trainer(training))
    moved = {
        name: not torch.equal(before[name], p) for name, p in training.model.named_parameters()
    }
    unused = UNUSED.get(manifest["model_kind"], ())
    still = [n for n in moved if learns[n] and not moved[n] and not any(u in n for u in unused)]
    assert still == [], "trainable parameters that did not move"
    assert [n for n in moved if moved[n] and not learns[n]] == [], "frozen parameters that moved"
    save(training, manifest["model_kind"], Path(asked["examples_dir"]), folder)
    write_json(folder / "manifest.json", manifest)
    loaded, _ = load_tuned(folder)
    torch.testing.assert_close(outputs(loaded), outputs(training.model), rtol=0, atol=1e-6)
    assert not [p for p in folder.rglob("*") if p.suffix in (".bin", ".pkl", ".pt")]


def outputs(model: Any) -> torch.Tensor:
    ids = torch.tensor([[5, 6, 7, 8, 9, 10]])
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with torch.inference_mode():
        if hasattr(model, "encode"):
            return model.eval()(batch)["sentence_embedding"]
        return model.eval()(**batch).logits
