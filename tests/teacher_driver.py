"""`python -m tests.teacher_driver JSON`: a run of many requests in a process that may be killed.

It asks about each of `documents` texts and writes the samples to `table`, a line each, at the end.
Exit code 3: the budget stopped it.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from assets.records import Document, Sample
from assets.teacher.budget import Budget, OverBudget, Price
from assets.teacher.generate import TeacherRun
from assets.teacher.protocol import Example, Fields, Message
from resources import rate_headers
from resources.chat_request import Sampling
from resources.endpoint import Endpoint
from resources.teacher_model import TeacherModel

PRICE = Price(prompt=1000.0, completion=1000.0, source="the test")  # dollars a million
MAX_OUTPUT_TOKENS = 64


def document(number: int) -> Document:
    """Return one of the documents."""
    return Document(id=f"{number:06}", group_id="g", split="train", text=f"post {number}")


def messages(about: Document, options: object) -> list[Message]:
    return [{"role": "system", "content": "Answer."}, {"role": "user", "content": about.text}]


def parse(about: Document, answer: Mapping[str, Any], options: object) -> list[Fields]:
    return [{"prompt": about.text, "completion": answer["answer"]}]


TASK = SimpleNamespace(
    VERSION="1",
    SCHEMA={
        "type": "object",
        "properties": {"answer": {"type": "string"}},
        "required": ["answer"],
        "additionalProperties": False,
    },
    EXAMPLE=Example(document(0), {"answer": "x"}, [{"prompt": "", "completion": "x"}]),
    messages=messages,
    parse=parse,
)


async def samples(job: dict[str, Any]) -> list[Sample]:
    """Ask, and return the samples."""
    budget = Budget(job["max_cost_usd"], PRICE, MAX_OUTPUT_TOKENS)
    connection = TeacherModel(cache_path=job["cache"]).connect(
        endpoint=Endpoint(f"{job['address']}/v1", job["api_key"]),
        model="m",
        sampling=Sampling(None, MAX_OUTPUT_TOKENS),
        timeout_seconds=job["timeout_seconds"],
        cost=PRICE.cost_usd,
        purse=budget,
        max_concurrency=job["max_concurrency"],
    )
    async with connection as teacher:
        run = TeacherRun("echo", TASK, None, "m", teacher, job["max_concurrency"])
        made = await run.run([document(number) for number in range(job["documents"])])
    return made.samples


def main() -> int:
    """Run the job that the command line holds."""
    job = json.loads(sys.argv[1])
    rate_headers.FIRST_BACKOFF_SECONDS = 0.01
    try:
        made = asyncio.run(samples(job))
    except OverBudget as error:
        print(error)
        return 3
    lines = [json.dumps(sample.fields) for sample in made]
    Path(job["table"]).write_text("\n".join(sorted(lines)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
