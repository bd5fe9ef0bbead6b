"""Checkpoints of one training, beside its output: whole or not counted, the newest two kept.

transformers writes `checkpoint-12/` file by file; a kill in between leaves a folder that it later
crashes on, or resumes from into another model, because it skips an optimizer that is not there. So
each is hashed, flushed, given its manifest last and renamed into place; only such a one counts:

    {"run_key": "71ab…", "step": 12, "processes": 1, "best_step": 8, "weights": {"lm_head…": 0.37},
     "files": {"optimizer.pt": {"bytes": 53211, "sha256": "9f2c…"}, …}}
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets.jobs import CHECKPOINTS, Say, flush, write_json

CHECKPOINT_MANIFEST = "checkpoint.json"
KEPT = 2  # newest ones, and the best one beside them
# Without one of these transformers would go on, silently, with a fresh one.
NEEDED = ("optimizer.pt", "scheduler.pt", "trainer_state.json")


class DamagedCheckpoint(Exception):
    """Says which file of a checkpoint is not as it was written."""


@dataclass(frozen=True)
class Checkpoints:
    """The folder of a training's checkpoints; only those of `run_key` are ever resumed."""

    folder: Path
    run_key: str
    say: Say
    processes: int = 1  # that train together; each has a random state of its own

    @classmethod
    def beside(cls, partial: Path, run_key: str, say: Say) -> "Checkpoints":
        """Return those of the job that writes into `partial`, which is wiped at every start."""
        name = partial.name.removesuffix(".partial") + CHECKPOINTS
        return cls(partial.with_name(name), run_key, say)

    def keep(self, written: Path, step: int, best_step: int | None, weights: Any) -> None:
        """Move the folder that transformers wrote into place, whole, and drop what is too old.

        Args:
            written: on the same disk as the checkpoints.
            step: after which it was written.
            best_step: after which the best weights so far were saved; None where it does not count.
            weights: what `parameter_sums` says of the model.
        """
        files = {path.relative_to(written).as_posix(): _sealed(path) for path in _files(written)}
        states = [*NEEDED, *_random_states(self.processes)]
        if missing := [name for name in states if name not in files]:
            raise RuntimeError(f"{written.name} was written without {', '.join(missing)}")
        manifest = {
            "run_key": self.run_key,
            "step": step,
            "processes": self.processes,
            "best_step": best_step,
            "weights": weights,
            "files": files,
        }
        write_json(written / CHECKPOINT_MANIFEST, manifest)
        flush(written)
        self.folder.mkdir(parents=True, exist_ok=True)
        _remove(self.at(step))  # a damaged one of an earlier try
        os.rename(written, self.at(step))
        flush(self.folder)
        self._drop_all_but(best_step)

    def newest(self) -> dict[str, Any] | None:
        """Return the manifest of the newest whole one; a refused one is said, with its fault."""
        for step in sorted(self._steps(), reverse=True):
            try:
                manifest = self.manifest(step)
                if manifest["best_step"] not in (None, step):
                    self.manifest(manifest["best_step"])
            except DamagedCheckpoint as fault:
                self.say(f"checkpoint-{step} is not resumed: {fault}")
            else:
                return manifest
        return None

    def manifest(self, step: int) -> dict[str, Any]:
        """Return the manifest of a whole checkpoint; raise DamagedCheckpoint for any other."""
        folder = self.at(step)
        try:
            manifest = json.loads((folder / CHECKPOINT_MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            fault = f"{folder.name} has no {CHECKPOINT_MANIFEST} that can be read"
            raise DamagedCheckpoint(fault) from error
        for name, ours in (("run_key", self.run_key), ("processes", self.processes)):
            if manifest[name] != ours:
                raise DamagedCheckpoint(f"its {name} is {manifest[name]}, this run's is {ours}")
        for name, written in manifest["files"].items():
            _check(folder / name, written)
        return manifest

    def at(self, step: int) -> Path:
        """Return where the checkpoint after `step` lies, whether or not it does."""
        return self.folder / f"checkpoint-{step}"

    def _steps(self) -> list[int]:
        names = [path.name.rpartition("-")[2] for path in self.folder.glob("checkpoint-*")]
        return [int(name) for name in names if name.isdecimal()]

    def _drop_all_but(self, best_step: int | None) -> None:
        steps = sorted(self._steps(), reverse=True)
        for step in steps[KEPT:]:
            if step != best_step:
                _remove(self.at(step))


def _random_states(processes: int) -> list[str]:
    if processes == 1:
        return ["rng_state.pth"]
    return [f"rng_state_{rank}.pth" for rank in range(processes)]


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _sealed(path: Path) -> dict[str, int | str]:
    """Return the size and hash of a file, once the disk has it."""
    flush(path)
    return {"bytes": path.stat().st_size, "sha256": _sha256(path)}


def _check(path: Path, written: dict[str, int | str]) -> None:
    where = f"{path.name} of {path.parent.name}"
    if not path.is_file():
        raise DamagedCheckpoint(f"{where} is missing")
    if (size := path.stat().st_size) != written["bytes"]:
        raise DamagedCheckpoint(f"{where} has {size} bytes, {written['bytes']} were written")
    if _sha256(path) != written["sha256"]:
        raise DamagedCheckpoint(f"{where} does not have the content that was written")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove(folder: Path) -> None:
    """Remove a checkpoint, its manifest first: a kill in between must not leave a half one."""
    (folder / CHECKPOINT_MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
