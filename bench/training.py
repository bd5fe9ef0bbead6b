"""`python -m bench.training [sft] [classify] [embed]`: ours against the libraries' own defaults.

sft        LoRA on the shape of SmolLM2-135M, masked ragged rows      TRL's SFTTrainer as it comes
classify   a whole MiniLM, mails                                      transformers' Trainer
embed      a whole MiniLM, queries and what answers them              SentenceTransformerTrainer

First the gate: in float32 both have the same gradients (1e-5) and the same losses over a few steps.
Then both train the same rows in turn, A B A B, each in a process of its own, in the precision that
each has by default; the first pair is warm-up. A token is one of a row; padding is none. With
`--waterfall` every lever is turned on alone in the peer, with `--busy` ours runs beside one busy
process, `--gpu` runs what needs a CUDA device, `--quick` only tries everything. The exit code is
1 where a gate or a limit is missed.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from bench import training_arms
from bench.training_arms import LEVERS, Arm, Round
from bench.training_inputs import SMOLLM2_135M, Inputs, made_inputs
from resources.launcher import PROCESS_POLICY

STEPS = {"sft": 1, "classify": 4, "embed": 2}  # of a round
FASTER = {"sft": 2.5, "classify": 2.5, "embed": 1.5}  # the least median, in tokens a second
MEMORY = {"sft": 0.5}  # the most, as a share of the peer's
SLOWER, TOLERANCE, GATE_STEPS = 1.6, 1e-5, 3
PEERS = {"sft": "TRL", "classify": "transformers", "embed": "sentence-transformers"}


def main() -> int:
    """Measure what is asked for, print it, and return the exit code."""
    parser = argparse.ArgumentParser(prog="bench.training")
    parser.add_argument("objectives", nargs="*", help=f"of {', '.join(STEPS)}; all")
    parser.add_argument("--pairs", type=int, default=5)
    for flag in ("--waterfall", "--busy", "--gpu", "--quick"):
        parser.add_argument(flag, action="store_true")
    asked = parser.parse_args()
    if unknown := set(asked.objectives) - set(STEPS):
        parser.error(f"unknown {sorted(unknown)[0]!r}; there are: {', '.join(STEPS)}")
    if asked.gpu:
        from bench.training_gpu import measure_gpu

        return measure_gpu(asked.quick)
    with TemporaryDirectory() as folder:
        return max(_measure(name, Path(folder) / name, asked) for name in asked.objectives or STEPS)


def _measure(objective: str, folder: Path, asked: argparse.Namespace) -> int:
    pairs, steps = (1, 1) if asked.quick else (asked.pairs, STEPS[objective])
    rows = training_arms.BATCH * max(steps, GATE_STEPS)
    shape = {**SMOLLM2_135M, **({"num_hidden_layers": 2} if asked.quick else {})}
    inputs = made_inputs(objective, rows, folder, shape)
    peer, ours = Arm(objective, inputs, ()), Arm(objective, inputs, None)
    print(f"{objective}: {PEERS[objective]} as it comes, and ours")
    fine = _gate(objective, inputs)
    ratio, memory = _compare(peer, ours, pairs, steps, "ours")
    if asked.waterfall:
        alone = {lever: (lever,) for lever in LEVERS[objective]}
        for name, levers in {**alone, "all of them": LEVERS[objective]}.items():
            _compare(peer, Arm(objective, inputs, levers), max(1, pairs // 2), steps, name)
    slower = _beside_a_busy_process(ours, pairs, steps) if asked.busy else 0.0
    reached = ratio >= FASTER[objective] and memory <= MEMORY.get(objective, 1.0)
    return int(not fine or (not asked.quick and (not reached or slower > SLOWER)))


def _gate(objective: str, inputs: Inputs) -> bool:
    """Return whether both arms learn the same in float32; print by how much they differ."""
    found = []
    for levers in ((), None):
        with held(Arm(objective, inputs, levers, full_precision=True)) as process:
            found.append(process.submit(training_arms.learnt, GATE_STEPS).result())
    (theirs, their_losses), (ours, our_losses) = found
    if theirs.keys() != ours.keys():
        print(f"- gate: other parameters learn: {sorted(theirs.keys() ^ ours.keys())[:3]}")
        return False
    one, other = (np.concatenate([g[n].ravel() for n in sorted(theirs)]) for g in (theirs, ours))
    gradient = float(np.linalg.norm(one - other) / np.linalg.norm(one))
    loss = max(abs(a - b) / abs(a) for a, b in zip(their_losses, our_losses, strict=True))
    fine = gradient <= TOLERANCE and loss <= TOLERANCE
    verdict = "the same" if fine else f"NOT THE SAME, over {TOLERANCE:g}"
    differ = f"gradients differ by {gradient:.1e}, {GATE_STEPS} losses by {loss:.1e}"
    print(f"- gate: {differ}: {verdict}", flush=True)
    return fine


def _compare(peer: Arm, other: Arm, pairs: int, steps: int, name: str) -> tuple[float, float]:
    """Print and return how much faster the other is, and its memory as a share of the peer's."""
    with held(peer) as a, held(other) as b:
        turns = [
            tuple(p.submit(training_arms.run, steps).result() for p in (a, b))
            for _ in range(pairs + 1)
        ][1:]
        memory = [p.submit(training_arms.gigabytes).result() for p in (a, b)]
    walls = [_speed(two) / _speed(one) for one, two in turns]
    cpus = [two.tokens / two.cpu_seconds / one.tokens * one.cpu_seconds for one, two in turns]
    speeds = [median(_speed(turn[i]) for turn in turns) for i in (0, 1)]
    print(
        f"- {name:<20}{median(walls):>6.2f} times (worst pair {min(walls):.2f}), by CPU seconds "
        f"{median(cpus):.2f} ({min(cpus):.2f}); {speeds[0]:,.0f} -> {speeds[1]:,.0f} tokens/s; "
        f"{memory[0]:.2f} -> {memory[1]:.2f} GB",
        flush=True,
    )
    return median(walls), memory[1] / memory[0]


def _speed(turn: Round) -> float:
    return turn.tokens / turn.seconds


def _beside_a_busy_process(arm: Arm, pairs: int, steps: int) -> float:
    """Print and return how many times slower the arm is beside one process that computes."""
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        with held(arm) as process:
            times: dict[signal.Signals, list[float]] = {signal.SIGSTOP: [], signal.SIGCONT: []}
            for _ in range(pairs + 1):
                for state, seconds in times.items():
                    busy.send_signal(state)
                    seconds.append(process.submit(training_arms.run, steps).result().seconds)
    finally:
        busy.kill()
        busy.wait()
    alone, beside = (seconds[1:] for seconds in times.values())
    ratios = [b / a for a, b in zip(alone, beside, strict=True)]
    print(f"- beside a busy process{median(ratios):>6.2f} times slower (worst {max(ratios):.2f})")
    return median(ratios)


@contextmanager
def held(arm: Arm) -> Iterator[ProcessPoolExecutor]:
    """Yield a process that holds the arm's trainer; each has the environment of our launcher.

    Without it a peer that shares its cores is several times slower still: its threads spin.
    """
    policy = {**PROCESS_POLICY, "HF_HUB_OFFLINE": "1"}
    kept = {name: os.environ.get(name) for name in policy}
    _set_environment(policy)
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            pool.submit(training_arms.start, arm).result()
            yield pool
    finally:
        _set_environment(kept)


def _set_environment(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


if __name__ == "__main__":
    sys.exit(main())
