"""Trainings killed at random moments, stopped, on a damaged checkpoint, on a full disk: the same.

One process imports torch and TRL and forks each try; `python -m bench.interruptions` kills more.
"""

import json
import shutil
import subprocess
import sys
from typing import Any

import pytest

from tests.assets.finetuning.interrupted import FULL_DISK

KILLS, SEED = 3, 7
CASES = ("sft", "dpo", "classify by length", "early stopping")
MAY_MOUNT = ["unshare", "--user", "--map-root-user", "--mount"]


@pytest.fixture(scope="module")
def came_to() -> dict[str, dict[str, Any]]:
    """Return what each case came to."""
    cases = [*CASES, "damaged", "stopped"]
    program = [sys.executable, "-m", "tests.assets.finetuning.interrupted", str(KILLS), str(SEED)]
    if mounts():
        program, cases = [*MAY_MOUNT, *program], [*cases, FULL_DISK]
    run = subprocess.run([*program, *cases], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    return {made["case"]: made for made in map(json.loads, run.stdout.splitlines())}


def mounts() -> bool:
    """Return whether a process here may mount a small disk of its own."""
    if shutil.which(MAY_MOUNT[0]) is None:
        return False
    tried = subprocess.run([*MAY_MOUNT, "true"], capture_output=True, check=False)
    return tried.returncode == 0


def the_same(made: dict[str, Any]) -> bool:
    """Return whether weights and losses are those of the whole training, and nothing is left."""
    return made["same_weights"] and made["same_history"] and not made["left"]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_killed_training_ends_with_the_very_same_weights_and_losses(
    came_to: dict[str, dict[str, Any]], case: str
) -> None:
    made = came_to[case]
    assert made["returncodes"].count(-9) >= KILLS - 1  # one may come late on a busy machine
    assert max(made["resumed_at"]) > 0
    assert made["refused"] == []
    assert the_same(made), made


@pytest.mark.slow
def test_a_checkpoint_without_its_optimizer_is_refused_and_the_one_before_taken(
    came_to: dict[str, dict[str, Any]],
) -> None:
    made = came_to["damaged"]
    [line] = made["refused"]
    assert "optimizer.pt of checkpoint-" in line
    assert line.endswith("is missing")
    assert the_same(made), made


@pytest.mark.slow
def test_sigterm_saves_the_step_it_came_in_and_publishes_nothing(
    came_to: dict[str, dict[str, Any]],
) -> None:
    made = came_to["stopped"]
    assert made["returncodes"][:2] == [143, 143]  # a later one may come too late on a busy machine
    for said, goes_on in zip(made["last_words"][:2], made["resumed_at"][1:3], strict=True):
        assert f"ended by SIGTERM after step {goes_on} of " in said
    assert the_same(made), made


@pytest.mark.slow
def test_a_full_disk_is_said_and_counts_no_half_checkpoint(
    came_to: dict[str, dict[str, Any]],
) -> None:
    if FULL_DISK not in came_to:
        pytest.skip("no disk can be mounted here: unshare is not allowed")
    made = came_to[FULL_DISK]
    assert made["returncodes"] == [1, 1, 0]
    assert all("the disk is full" in said for said in made["last_words"][:2])
    assert made["refused"] == []
    assert made["resumed_at"][2] > 0
    assert the_same(made), made
