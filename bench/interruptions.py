"""`python -m bench.interruptions`: every case of interrupted trainings, ten times each.

Each training is run once whole, then killed with SIGKILL (or SIGTERM) at ten seeded random moments,
resumed each time, and compared: the weights must be the same to the bit, and the losses without gap
or repeat. `--kills 3 --seed 1 sft dpo` runs less.
"""

import argparse
import json
import subprocess
import sys

from tests.assets.finetuning.interrupted import CASES


def main() -> None:
    """Print a line a case; the exit code counts those that differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("cases", nargs="*", default=[*CASES], help=f"of: {', '.join(CASES)}")
    asked = parser.parse_args()
    program = [sys.executable, "-W", "ignore", "-m", "tests.assets.finetuning.interrupted"]
    program += [str(asked.kills), str(asked.seed), *asked.cases]
    different = 0
    with subprocess.Popen(program, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        for line in run.stdout:
            made = json.loads(line)
            same = made["same_weights"] and made["same_history"]
            different += not same
            print(f"{made['case']:20} {'the same' if same else 'DIFFERENT':10}", end="")
            print(f"ended {made['returncodes']}, went on after {made['resumed_at']}", flush=True)
    sys.exit(different or run.returncode)


if __name__ == "__main__":
    main()
