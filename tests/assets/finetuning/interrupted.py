"""`python -m tests.assets.finetuning.interrupted 3 7 sft …`: trainings killed and resumed.

Each case is trained once whole, then again with so many SIGKILLs at seeded random moments, and once
more to its end. A line of JSON a case says whether both are the same. A try is a process of its
own, forked from this one, which has imported everything and computed nothing.
"""

import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from assets.jobs import CHECKPOINTS, Stopped, published, write_json

CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "sft": ("sft", "lora", {"lora_dropout": 0.1, "neftune_noise_alpha": 5}),
    "sft by length": ("sft", "lora", {"lora_dropout": 0.1, "group_by_length": True}),
    "dpo": ("dpo", "lora", {}),
    "dpo by length": ("dpo", "lora", {"group_by_length": True}),
    "dpo in full": ("dpo", "full", {}),
    "classify": ("classify", "full", {"dropout": 0.2, "gradient_accumulation_steps": 2}),
    "classify by length": ("classify", "full", {"dropout": 0.2, "group_by_length": True}),
    "early stopping": (
        "classify",
        "full",
        {"early_stopping_patience": 3, "learning_rate": 0.003, "num_train_epochs": 12},
    ),
}
SECTION = {"num_train_epochs": 7, "per_device_train_batch_size": 2, "save_steps": 4}
LINES = 20  # that tell a loss, about, in a whole training
GOES = ("starts: ", "goes on after ")  # how a training says that its steps begin


def main() -> None:
    kills, seed = int(sys.argv[1]), int(sys.argv[2])
    os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}  # read by the imports
    _import_everything()
    with TemporaryDirectory() as folder:
        for case in sys.argv[3:] or CASES:
            print(json.dumps(trial(case, kills, random.Random(seed), Path(folder))), flush=True)


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
    """Return what one case came to, and how long its steps and tries took."""
    root = root / case.replace(" ", "-")
    root.mkdir()
    finished(fork(lambda say: _write_job(case, root)))
    job = json.loads((root / "job.json").read_text())
    whole = job | {"output_dir": str(root / "whole")}
    began = time.monotonic()
    assert finished(fork(lambda say: train(whole, say))).returncode == 0
    seconds = time.monotonic() - began
    broken = job | {"output_dir": str(root / "broken")}
    tries = []
    for _ in range(kills):
        lines, pause = moments.randint(0, LINES // max(kills, 1)), moments.uniform(0, seconds / 15)
        tries.append(killed(fork(lambda say: train(broken, say)), lines, pause))
    tries.append(finished(fork(lambda say: train(broken, say))))
    first, second = (_manifest(Path(j["output_dir"])) for j in (whole, broken))
    return {
        "case": case,
        "kills": sum(t.returncode == -signal.SIGKILL for t in tries),
        "resumed_at": [t.resumed_at for t in tries],
        "refused": [line for t in tries for line in t.lines if "is not resumed" in line],
        "exit": tries[-1].returncode,
        "same_weights": first["weights_hash"] == second["weights_hash"],
        "same_history": _learnt(first) == _learnt(second),
        "weights_hash": second["weights_hash"],
        "left": [p.name for p in root.iterdir() if p.suffix in (".partial", CHECKPOINTS)],
        "whole_seconds": round(seconds, 1),
    }


class Try:
    """One process that trains, and what it said."""

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid = pid
        self.said = os.fdopen(pipe, encoding="utf-8")
        self.lines: list[str] = []
        self.returncode: int | None = None

    @property
    def resumed_at(self) -> int:
        """Return after which step it went on; 0 from the beginning."""
        going = [line for line in self.lines if line.startswith(GOES[1])]
        return int(going[0].split()[4]) if going else 0


def fork(action: Callable[[Callable[[str], None]], None]) -> Try:
    """Run `action(say)` in a process of its own."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return Try(pid, reading)
    try:
        os.close(reading)
        action(lambda line: void(os.write(writing, f"{line}\n".encode())))
    except Stopped as stopped:
        os.write(writing, f"{stopped}\n".encode())
        os._exit(stopped.exit_code)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def void(_: object) -> None:
    """Return None, whatever is given."""


def finished(made: Try) -> Try:
    """Wait for its own end."""
    made.lines += made.said.read().splitlines()
    made.returncode = os.waitstatus_to_exitcode(os.waitpid(made.pid, 0)[1])
    return made


def killed(made: Try, lines: int, seconds: float, number: int = signal.SIGKILL) -> Try:
    """Send it a signal so many losses and seconds after its first step; it may end before."""
    for line in made.said:
        made.lines.append(line.strip())
        if sum("loss" in said or said.startswith(GOES) for said in made.lines) > lines:
            time.sleep(seconds)
            break
    os.kill(made.pid, number)  # not reaped yet, so the id is still its own
    return finished(made)


def train(job: dict[str, Any], say: Callable[[str], None]) -> None:
    """Do what the job's own process does."""
    from assets.finetuning.run import work

    output = Path(job["output_dir"])
    with published(output) as aside:
        write_json(aside / "manifest.json", work(job, aside, say))


def _write_job(case: str, root: Path) -> None:
    from tests.assets.finetuning import tiny

    objective, method, section = CASES[case]
    config = tiny.config(objective, method, **{**SECTION, **section})
    write_json(root / "job.json", tiny.job(config, root))


def _learnt(manifest: dict[str, Any]) -> list[dict[str, float]]:
    """Return the history without what the clock and the memory say."""
    names = ("step", "loss", "eval_loss", "learning_rate", "grad_norm")
    return [{n: entry[n] for n in names if n in entry} for entry in manifest["history"]]


def _manifest(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text())


if __name__ == "__main__":
    main()
