"""`python -m tests.assets.finetuning.interrupted 3 7 sft …`: trainings killed and resumed.

Each case is trained once whole, then again with so many SIGKILLs at seeded random moments, and once
more to its end. A line of JSON a case says whether both are the same. A try is a process of its
own, forked from this one, which has imported everything and computed nothing.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from assets.jobs import attempt, write_json

CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "sft": ("sft", "lora", {"lora_dropout": 0.1, "neftune_noise_alpha": 5}),
    "sft by length": ("sft", "lora", {"lora_dropout": 0.1, "group_by_length": True}),
    "dpo": ("dpo", "lora", {}),
    "dpo by length": ("dpo", "lora", {"group_by_length": True}),
    "dpo in full": ("dpo", "full", {}),
    "classify": ("classify", "full", {"dropout": 0.2, "gradient_accumulation_steps": 2}),
    "classify by length": ("classify", "full", {"dropout": 0.2, "group_by_length": True}),
    "damaged": ("classify", "full", {"save_steps": 2}),
    "stopped": ("sft", "lora", {"lora_dropout": 0.1, "save_steps": 100}),
    "embed": ("embed", "lora", {"lora_dropout": 0.1}),
    "embed by scores": ("embed", "full", {"loss": "cosent", "gradient_accumulation_steps": 2}),
    "rerank": ("rerank", "lora", {"dropout": 0.2}),
    "tokens": ("classify_tokens", "full", {"dropout": 0.2, "group_by_length": True}),
    "distill": ("distill_classifier", "full", {"dropout": 0.2, "student_layers": 1}),
    "early stopping": (
        "classify",
        "full",
        {"early_stopping_patience": 3, "learning_rate": 0.003, "num_train_epochs": 12},
    ),
}
SIGNALS = {"stopped": signal.SIGTERM}  # any other case is killed by SIGKILL
SECTION = {"num_train_epochs": 7, "per_device_train_batch_size": 2, "save_steps": 2}
DAMAGED, FULL_DISK = "damaged", "full disk"
LINES = 15  # that tell a loss in the first half of a whole training
GOES = ("starts: ", "goes on after ")  # how a training says that its steps begin


def main() -> None:
    kills, seed = int(sys.argv[1]), int(sys.argv[2])
    os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}  # read by the imports
    _import_everything()
    with TemporaryDirectory() as folder:
        for case in sys.argv[3:] or [*CASES, FULL_DISK]:
            if case == FULL_DISK:
                came_to = on_a_full_disk(Path(folder))
            else:
                came_to = trial(case, kills, random.Random(seed), Path(folder))
            print(json.dumps(came_to), flush=True)


def _import_everything() -> None:
    import datasets
    import peft
    import pyarrow.parquet
    import transformers
    import trl.trainer.dpo_trainer
    import trl.trainer.sft_trainer

    import assets.finetuning.training
    import tests.assets.finetuning.tiny  # noqa: F401

    assert datasets and peft and pyarrow and transformers and trl and assets.finetuning.training
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


def trial(case: str, kills: int, moments: random.Random, root: Path) -> dict[str, Any]:
    """Return what a case came to that is interrupted so many times, then left alone."""
    job = _job(case, root / case.replace(" ", "-"))
    began = time.monotonic()
    whole = finished(fork(job, "whole"))
    seconds, number, tries = time.monotonic() - began, SIGNALS.get(case, signal.SIGKILL), []
    early, late = (8, 12) if case == DAMAGED else (2, max(3, LINES // kills))  # a line is two steps
    for _ in range(1 if case == DAMAGED else kills):
        lines, pause = moments.randint(early, late), moments.uniform(0, seconds / kills / 8)
        tries.append(killed(fork(job, "broken"), lines, pause, number))
    if case == DAMAGED:
        _lose_the_optimizer(whole.output.with_name("broken.checkpoints"))
    return _compared(case, whole, [*tries, finished(fork(job, "broken"))])


def _lose_the_optimizer(checkpoints: Path) -> None:
    """Take from the newest checkpoint the file that transformers would go on without."""
    newest = max(checkpoints.iterdir(), key=lambda path: int(path.name.partition("-")[2]))
    (newest / "optimizer.pt").unlink()


def on_a_full_disk(root: Path) -> dict[str, Any]:
    """Return what a training comes to on a disk of 4 MB that others fill while it runs.

    Needs `unshare -Urm` around this process, which may then mount a disk in memory.
    """
    disk, tries = root / "disk", []
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tuneline", disk], check=True)
    job = _job("classify", root / "full-disk")
    for lines in (1, 8, None):  # full at the first checkpoint; at the second or third; never
        tried = fork(job | {"output_dir": str(disk / "broken")}, "broken")
        if lines is not None:
            read_until(tried, lines)
            with suppress(OSError), (disk / "others").open("wb", buffering=0) as others:
                while others.write(bytes(4096)):
                    pass
        tries.append(finished(tried))
        (disk / "others").unlink(missing_ok=True)
    came_to = _compared(FULL_DISK, finished(fork(job, "whole")), tries)
    subprocess.run(["umount", disk], check=True)
    return came_to


def _compared(case: str, whole: "Try", tries: list["Try"]) -> dict[str, Any]:
    first, second = (_manifest(tried.output) for tried in (whole, tries[-1]))
    return {
        "case": case,
        "returncodes": [tried.returncode for tried in tries],
        "resumed_at": [tried.resumed_at for tried in tries],
        "last_words": [tried.lines[-1] for tried in tries],
        "refused": [line for tried in tries for line in tried.lines if "not resumed" in line],
        "same_weights": first["weights_hash"] == second["weights_hash"],
        "same_history": _learnt(first) == _learnt(second),
        "left": [path.name for path in tries[-1].output.parent.glob("*.*") if path.is_dir()],
    }


class Try:
    """One process that trains, and what it said."""

    def __init__(self, pid: int, pipe: int, output: Path) -> None:
        self.pid = pid
        self.said = os.fdopen(pipe, encoding="utf-8")
        self.output = output
        self.lines: list[str] = []
        self.returncode: int | None = None

    @property
    def resumed_at(self) -> int:
        """Return after which step it went on; 0 from the beginning."""
        going = [line for line in self.lines if line.startswith(GOES[1])]
        return int(going[0].split()[4]) if going else 0


def fork(job: dict[str, Any], name: str) -> Try:
    """Train in a process of its own, and publish under `name`."""
    output = Path(job["output_dir"]).with_name(name)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return Try(pid, reading, output)
    try:
        os.close(reading)
        os.nice(5)  # the one that kills it should not come late
        from assets.finetuning.run import work

        failure = attempt(
            work,
            job | {"output_dir": str(output)},
            lambda line: void(os.write(writing, f"{line}\n".encode())),
        )
        if isinstance(failure, str):
            os.write(writing, failure.encode())
        os._exit(failure if isinstance(failure, int) else int(failure is not None))
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def void(_: object) -> None:
    """Return None, whatever is given."""


def finished(made: Try) -> Try:
    """Wait for its own end."""
    made.lines += made.said.read().splitlines()
    made.returncode = os.waitstatus_to_exitcode(os.waitpid(made.pid, 0)[1])
    return made


def read_until(made: Try, lines: int) -> bool:
    """Return when it has told so many losses, or False when it has ended before."""
    for line in made.said:
        made.lines.append(line.strip())
        if sum("loss" in said or said.startswith(GOES) for said in made.lines) > lines:
            return True
    return False


def killed(made: Try, lines: int, seconds: float, number: int = signal.SIGKILL) -> Try:
    """Send it a signal so many losses and seconds after its first step; it may end before."""
    if read_until(made, lines):
        time.sleep(seconds)
    os.kill(made.pid, number)  # not reaped yet, so the id is still its own
    return finished(made)


def _job(case: str, root: Path) -> dict[str, Any]:
    """Return the job of a case; a process of its own makes its rows and its base model."""
    root.mkdir()
    if os.fork() == 0:
        from tests.assets.finetuning import tiny

        objective, method, section = CASES[case]
        config = tiny.config(objective, method, **{**SECTION, **section})
        write_json(root / "job.json", tiny.job(config, root))
        os._exit(0)
    os.wait()
    return json.loads((root / "job.json").read_text())


def _learnt(manifest: dict[str, Any]) -> list[dict[str, float]]:
    """Return the history without what the clock and the memory say."""
    names = ("step", "loss", "eval_loss", "learning_rate", "grad_norm")
    return [{n: entry[n] for n in names if n in entry} for entry in manifest["history"]]


def _manifest(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text())


if __name__ == "__main__":
    main()
