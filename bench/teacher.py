"""`python -m bench.teacher`: how fast a teacher is asked, and whether it is asked too much.

A server on loopback, a process of its own, takes 200 ms an answer. First without limits at 512 in
flight, beside AsyncOpenAI as it comes, one after the other and again; then with limits on requests
and tokens, 2 % of 429, 1 % of 500 and 0.5 % that hang; then once more with the cache full. What the
server counted is the proof. Both sides share this machine's cores.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests import teacher_driver
from tests.unreliable_teacher import Behaviour, look, unreliable_teacher

ANSWER_SECONDS, CONCURRENCY = 0.2, 512
TIMEOUT_SECONDS = 2.0  # ten times what an answer takes
FAULTS = {"limited": 0.02, "broken": 0.01, "silent": 0.005}
REQUESTS_PER_SECOND, TOKENS_PER_SECOND = 250.0, 250.0 * 70
PEER_SHARE = 4  # the peer gets one request in so many: it is slow


@dataclass(frozen=True)
class Run:
    """What a worker says of itself."""

    seconds: float
    answers: int
    mb_at_a_quarter: float
    mb_at_the_end: float


def main() -> None:
    """Run the bench, or one worker of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.teacher", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument(
        "--pairs", type=int, default=3, help="how often ours and the peer alternate"
    )
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        print(json.dumps(asyncio.run(_work(json.loads(given.worker)))))
        return
    with TemporaryDirectory() as folder:
        _unlimited(given.requests, given.pairs, Path(folder))
        _limited(given.requests, Path(folder))


def _unlimited(requests: int, pairs: int, folder: Path) -> None:
    print(f"without limits, {ANSWER_SECONDS * 1000:.0f} ms an answer, {CONCURRENCY} in flight")
    ratios = []
    with unreliable_teacher(Behaviour(answer_seconds=ANSWER_SECONDS)) as address:
        for pair in range(pairs):
            ours = _run("ours", address, requests, folder / f"{pair}.db")
            peer = _run("peer", address, requests // PEER_SHARE, folder / "none")
            rates = [run.answers / run.seconds for run in (ours, peer)]
            ratios.append(rates[0] / rates[1])
            print(
                f"  ours {rates[0]:7,.0f} requests/s   AsyncOpenAI's defaults {rates[1]:7,.0f}   "
                f"{ratios[-1]:.2f} times   memory {ours.mb_at_a_quarter:.0f} MB at a quarter, "
                f"{ours.mb_at_the_end:.0f} MB at the end"
            )
        asked = look(address)["requests"]
        _run("ours", address, requests, folder / "0.db")
        again = look(address)["requests"] - asked
    print(f"  median {statistics.median(ratios):.2f}, worst {min(ratios):.2f} times")
    print(f"  once more with a full cache: the server got {again} requests")


def _limited(requests: int, folder: Path) -> None:
    behaviour = Behaviour(
        answer_seconds=ANSWER_SECONDS,
        faults=FAULTS,
        requests_per_second=REQUESTS_PER_SECOND,
        tokens_per_second=TOKENS_PER_SECOND,
    )
    print(
        f"with limits of {REQUESTS_PER_SECOND:.0f} requests and {TOKENS_PER_SECOND:,.0f} tokens a "
        f"second, and faults {FAULTS}"
    )
    with unreliable_teacher(behaviour) as address:
        run = _run("ours", address, requests, folder / "limited.db")
        ledger = look(address)
        _run("ours", address, requests, folder / "limited.db")
        again = look(address)["requests"] - ledger["requests"]
    seconds = ledger["last"] - ledger["first"]
    # each bucket is full at the start and holds a second's worth
    used = {
        "requests": ledger["admitted"] / (REQUESTS_PER_SECOND * (seconds + 1)),
        "tokens": ledger["admitted_tokens"] / (TOKENS_PER_SECOND * (seconds + 1)),
    }
    tightest = max(used, key=lambda name: used[name])
    print(
        f"  {run.answers:,} answers in {run.seconds:.1f} s; the server admitted "
        f"{ledger['admitted']:,} requests in {seconds:.1f} s: {used[tightest]:.1%} of the allowed "
        f"{tightest}; {ledger['over_limit']:,} came over the limit; faults {ledger['faults']}"
    )
    print(
        f"  memory {run.mb_at_a_quarter:.0f} MB at a quarter, {run.mb_at_the_end:.0f} MB at the end"
    )
    print(f"  answered twice: {ledger['asked_again']}; with a full cache: {again} requests")


def _run(arm: str, address: str, requests: int, cache: Path) -> Run:
    """Run a worker in a process of its own; raises where it fails."""
    job = {"arm": arm, "address": address, "documents": requests, "cache": str(cache)}
    command = [sys.executable, "-m", "bench.teacher", "--worker", json.dumps(job)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Run(**json.loads(done.stdout))


async def _work(job: dict[str, Any]) -> dict[str, float]:
    memory: dict[int, float] = {}
    began = time.monotonic()
    answers = await (_ours if job["arm"] == "ours" else _peer)(job, memory)
    quarter = memory.get(job["documents"] // 4, 0.0)
    seconds = time.monotonic() - began
    return vars(Run(seconds, answers, quarter, _resident_mb()))


async def _ours(job: dict[str, Any], memory: dict[int, float]) -> int:
    """Ask through the whole room: dialogue, privacy, cache, budget, limits."""
    parse, seen = teacher_driver.parse, iter(range(1, 10**9))

    def watched(*about: Any) -> Any:
        if (number := next(seen)) == job["documents"] // 4:
            memory[number] = _resident_mb()
        return parse(*about)

    teacher_driver.TASK.parse = watched
    settings = {
        **{"api_key": "bench", "max_cost_usd": 1e9, "timeout_seconds": TIMEOUT_SECONDS},
        "max_concurrency": CONCURRENCY,
    }
    return len(await teacher_driver.samples({**job, **settings}))


async def _peer(job: dict[str, Any], memory: dict[int, float]) -> int:
    """Ask as openai's documentation does, with as many at once."""
    from openai import AsyncOpenAI

    texts = iter([teacher_driver.document(number) for number in range(job["documents"])])
    format = {"name": "answer", "strict": True, "schema": teacher_driver.TASK.SCHEMA}
    answers = 0

    async def work(client: AsyncOpenAI) -> None:
        nonlocal answers
        for text in texts:
            said = await client.chat.completions.create(
                model="m",
                messages=teacher_driver.messages(text, None),  # type: ignore[arg-type]
                max_tokens=teacher_driver.MAX_OUTPUT_TOKENS,
                response_format={"type": "json_schema", "json_schema": format},  # type: ignore[arg-type]
            )
            answers += bool(json.loads(said.choices[0].message.content or "")["answer"])

    async with AsyncOpenAI(api_key="bench", base_url=f"{job['address']}/v1") as client:
        await asyncio.gather(*(work(client) for _ in range(CONCURRENCY)))
    return answers


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


if __name__ == "__main__":
    main()
