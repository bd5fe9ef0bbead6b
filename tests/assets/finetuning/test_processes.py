"""One training by two processes, under `accelerate launch` with gloo, as the launcher starts it."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import torch
from safetensors.torch import load_file

from resources.launcher import Launcher
from tests.assets.finetuning import tiny


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_from_twice_the_batch(tmp_path: Path) -> None:
    _, one = tiny.train(tmp_path, "sft", "lora", "one", per_device_train_batch_size=4)
    two, said = by_two(tiny.config("sft", "lora", per_device_train_batch_size=2), tmp_path)
    assert (one["hardware"]["processes"], two["hardware"]["processes"]) == (1, 2)
    for name in ("step", "loss", "grad_norm"):
        ours, theirs = ([e[name] for e in m["history"] if name in e] for m in (two, one))
        assert len(ours) > 10
        assert ours == pytest.approx(theirs, rel=1e-4), name
    weights = "model/adapter_model.safetensors"
    torch.testing.assert_close(
        load_file(tmp_path / "two" / weights), load_file(tmp_path / "one" / weights)
    )
    assert said.count("parameters on 12 rows") == 1  # the second process is silent
    assert not list(tmp_path.glob("two.*partial")) + list(tmp_path.glob("two.checkpoints"))


def by_two(config: Any, root: Path) -> tuple[dict[str, Any], str]:
    """Return the manifest of a training by two processes, and what was said in Dagster's log."""
    made: dict[str, Any] = {}
    job = tiny.job(config, root) | {"output_dir": str(root / "two")}

    @dg.asset
    def trained(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        made.update(Launcher().run(context, "assets.finetuning.run", job, 2))
        return dg.MaterializeResult()

    with dg.DagsterInstance.ephemeral() as instance:
        run = dg.materialize([trained], instance=instance)
        said = "\n".join(entry.message for entry in instance.all_logs(run.run_id))
    return made, said
