"""10,000 requests to an unreliable teacher, from a side that is killed: none is paid twice."""

import json
import random
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.teacher_driver import PRICE, document
from tests.unreliable_teacher import Behaviour, is_refused, look, unreliable_teacher, wait

DOCUMENTS, CONCURRENCY = 10_000, 64
FAULTS = {
    **{"limited": 0.02, "broken": 0.02, "silent": 0.002, "cut": 0.01, "junk": 0.01},
    **{"html": 0.01, "refusal": 0.01},
}
BEHAVIOUR = Behaviour(answer_seconds=0.005, faults=FAULTS)
EACH_USD = PRICE.cost_usd(100, 10)
CAP_USD = 500 * EACH_USD


def start(folder: Path, address: str, api_key: str, max_cost_usd: float) -> subprocess.Popen[str]:
    job = {
        "documents": DOCUMENTS,
        "cache": str(folder / "cache.db"),
        "table": str(folder / f"{api_key}.jsonl"),
        "address": address,
        "api_key": api_key,
        "max_cost_usd": max_cost_usd,
        "max_concurrency": CONCURRENCY,
        "timeout_seconds": 3.0,
    }
    command = [sys.executable, "-m", "tests.teacher_driver", json.dumps(job)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(driver: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = driver.communicate(timeout=200)
    return driver.returncode, said


def kill_after(driver: subprocess.Popen[str], address: str, answers: int) -> None:
    """Send SIGKILL once the server has answered so often."""
    wait(address, answers)
    driver.kill()
    assert finish(driver)[0] == -9, "it ended before it was killed"


def kept(folder: Path) -> Counter[str]:
    with closing(sqlite3.connect(folder / "cache.db")) as database:
        return Counter(answer for (answer,) in database.execute("select answer from answers"))


@pytest.mark.slow
def test_every_accepted_answer_is_there_once_and_none_is_asked_for_again(tmp_path: Path) -> None:
    kills = (random.randint(1000, 4000), random.randint(5000, 8500))
    with unreliable_teacher(BEHAVIOUR) as address:
        code, said = finish(start(tmp_path, address, "capped", CAP_USD))
        assert (code, "stopped before max_cost_usd" in said) == (3, True), said
        for name, answers in zip(("first", "second"), kills, strict=True):
            kill_after(start(tmp_path, address, name, 1e9), address, answers)
        assert finish(start(tmp_path, address, "third", 1e9)) == (0, "")
        ledger = look(address)
        assert finish(start(tmp_path, address, "fourth", 1e9)) == (0, "")
        after = look(address)
    _check_the_ledger(ledger, after, kills)
    _check_the_table(tmp_path)


def _check_the_ledger(ledger: dict[str, Any], after: dict[str, Any], kills: Any) -> None:
    assert all(ledger["faults"][fault] > 0 for fault in FAULTS), ledger["faults"]
    assert ledger["most_in_flight"] <= CONCURRENCY
    assert 0 < ledger["billed"]["capped"] * EACH_USD <= CAP_USD
    # what was in flight at the two kills may have been answered to nobody
    assert ledger["asked_again"] <= 2 * CONCURRENCY, kills
    assert after["answered"] == ledger["answered"], "a run with a full cache was answered again"
    refused = after["faults"]["refusal"] - ledger["faults"]["refusal"]
    assert after["requests"] - ledger["requests"] == refused, "only refusals are asked again"


def _check_the_table(folder: Path) -> None:
    texts = [document(number).text for number in range(DOCUMENTS)]
    accepted = [text for text in texts if not is_refused(text, BEHAVIOUR)]
    assert 0 < len(accepted) < DOCUMENTS
    expected = sorted(
        json.dumps({"prompt": text, "completion": f"{text}, answered"}) for text in accepted
    )
    for name in ("third", "fourth"):
        assert (folder / f"{name}.jsonl").read_text().split("\n") == expected
    answers = Counter(json.dumps({"answer": f"{text}, answered"}) for text in accepted)
    assert kept(folder) == answers
