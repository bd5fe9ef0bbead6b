"""Checkpoints as files: what is whole is kept, and what is not is refused by its name."""

from pathlib import Path

import pytest

from assets.finetuning.checkpoints import CHECKPOINT_MANIFEST, Checkpoints, DamagedCheckpoint

FILES = ("model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json")


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints.beside(tmp_path / "model.partial", "r1", said.append)


said: list[str] = []


def keep(checkpoints: Checkpoints, step: int, best_step: int | None = None) -> Path:
    """Keep a checkpoint as transformers writes one; return where it lies."""
    written = checkpoints.folder.parent / "trainer" / f"checkpoint-{step}"
    written.mkdir(parents=True)
    for name in FILES:
        (written / name).write_text(f"{name} of step {step}")
    checkpoints.keep(written, step, best_step, {"weight": 0.5})
    return checkpoints.at(step)


def newest(checkpoints: Checkpoints) -> int | None:
    said.clear()
    manifest = checkpoints.newest()
    return None if manifest is None else manifest["step"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (Path.unlink, "is missing"),
        (lambda path: path.write_text(path.read_text()[:5]), "has 5 bytes"),
        (lambda path: path.write_text(path.read_text().swapcase()), "not have the content"),
    ],
    ids=["missing", "cut", "changed"],
)
def test_a_damaged_file_is_named_and_the_checkpoint_before_it_is_taken(
    checkpoints: Checkpoints, name: str, harm, words: str
) -> None:
    keep(checkpoints, 4)
    harm(keep(checkpoints, 8) / name)
    assert newest(checkpoints) == 4
    [line] = said
    assert line.startswith(f"checkpoint-8 is not resumed: {name} of checkpoint-8 ")
    assert words in line


def test_a_checkpoint_without_its_manifest_does_not_count(checkpoints: Checkpoints) -> None:
    manifest = keep(checkpoints, 4) / CHECKPOINT_MANIFEST
    whole = manifest.read_text()
    for content in (whole[:40], ""):
        manifest.write_text(content)
        assert newest(checkpoints) is None
    manifest.unlink()
    assert newest(checkpoints) is None
    assert "has no checkpoint.json that can be read" in said[0]


def test_only_the_same_run_key_and_number_of_processes_are_resumed(
    checkpoints: Checkpoints,
) -> None:
    keep(checkpoints, 4)
    other = Checkpoints(checkpoints.folder, "r2", said.append)
    assert newest(other) is None
    assert said == ["checkpoint-4 is not resumed: its run_key is r1, this run's is r2"]
    two = Checkpoints(checkpoints.folder, "r1", said.append, processes=2)
    assert newest(two) is None
    assert said == ["checkpoint-4 is not resumed: its processes is 1, this run's is 2"]


def test_the_newest_two_and_the_best_are_kept(checkpoints: Checkpoints) -> None:
    for step, best in ((4, 4), (8, 4), (12, 4), (16, 4)):
        keep(checkpoints, step, best)
    assert sorted(p.name for p in checkpoints.folder.iterdir()) == [
        "checkpoint-12",
        "checkpoint-16",
        "checkpoint-4",
    ]


def test_a_checkpoint_whose_best_one_is_damaged_is_refused(checkpoints: Checkpoints) -> None:
    (keep(checkpoints, 4, 4) / "model.safetensors").unlink()
    keep(checkpoints, 8, 4)
    assert newest(checkpoints) is None
    fault = "model.safetensors of checkpoint-4 is missing"
    assert said[0] == f"checkpoint-8 is not resumed: {fault}"
    with pytest.raises(DamagedCheckpoint, match=fault):
        checkpoints.manifest(4)


def test_a_damaged_one_gives_way_when_its_step_is_written_again(checkpoints: Checkpoints) -> None:
    (keep(checkpoints, 4) / "optimizer.pt").unlink()
    keep(checkpoints, 4)
    assert newest(checkpoints) == 4


def test_what_transformers_did_not_write_is_an_error_and_nothing_is_kept(
    checkpoints: Checkpoints, tmp_path: Path
) -> None:
    written = tmp_path / "trainer" / "checkpoint-4"
    written.mkdir(parents=True)
    (written / "optimizer.pt").write_text("state")
    missing = "scheduler.pt, trainer_state.json, rng_state.pth"
    with pytest.raises(RuntimeError, match=f"checkpoint-4 was written without {missing}"):
        checkpoints.keep(written, 4, None, {})
    assert newest(checkpoints) is None
