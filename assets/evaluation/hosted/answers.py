"""A model that lies at a service is judged by what it answers: it cannot be loaded and measured.

Base, tuned model and champion get the same test prompts; how their answers look is held against the
answers that people gave.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from assets.evaluation.arms import Scores
from assets.evaluation.benchmarks import style_profile
from assets.evaluation.compare import Comparison
from assets.messages import Message, messages_of
from assets.records import Sample, content_hash
from assets.style import distance, profile

VERSION = "1"  # raise it when the same answers would be judged in another way
PLAIN: dict[str, Any] = {}  # the schema of an answer that is any text
Answers = Mapping[str, str]  # sample id -> text
UNDECIDED = (
    "a model at a service is compared by how its answers look, and that decides nothing by itself: "
    "read the samples, then set registration.gate.metric to style_distance, or its alias by hand"
)


@dataclass(frozen=True)
class Prompt:
    """A test row as it is asked, and what a person answered."""

    id: str
    messages: list[Message]
    reference: str


class SpentAllowance(Exception):
    """Says that no more requests may be sent."""


@dataclass
class Allowance:
    """A purse of so many requests: what a tuned model's answers cost, no table of prices says."""

    requests: int
    spent: int = field(default=0, init=False)

    async def reserve(self, messages: Sequence[Message], schema: Mapping[str, Any]) -> float:
        """Take one request; SpentAllowance where none is left."""
        self.spent += 1
        if self.spent > self.requests:
            raise SpentAllowance(
                f"the {self.requests} requests that an evaluation may send are spent: the service "
                "answers too few of them. Materialize again: what it has answered is kept"
            )
        return 0.0

    async def reserve_together(
        self, requests: Iterable[tuple[Sequence[Message], Mapping[str, Any]]]
    ) -> float:
        """Take several."""
        for messages, schema in requests:
            await self.reserve(messages, schema)
        return 0.0

    async def settle(self, reserved: float, cost_usd: float) -> None:
        """Nothing is counted in dollars."""

    def spend(self, cost_usd: float) -> None:
        """Nothing is counted in dollars."""


def prompts_of(samples: Iterable[Sample], system: str, count: int) -> list[Prompt]:
    """Return the first test rows by id; ValueError where there is none."""
    test = sorted((s for s in samples if s.split == "test"), key=lambda s: s.id)[:count]
    if not test:
        raise ValueError("no sample is in the test split: raise extraction.split.test or add data")
    return [
        Prompt(
            s.id, messages_of(s.fields, system), s.fields.get("completion") or s.fields["chosen"]
        )
        for s in test
    ]


def compared(
    prompts: Sequence[Prompt], answers: Mapping[str, Answers], options: Any, samples: int
) -> Comparison:
    """Return how the answers of each arm look, over the prompts that every arm has answered."""
    rows = [p for p in prompts if all(p.id in texts for texts in answers.values())]
    if not rows:
        raise ValueError("no test prompt was answered by every model: look at the problems above")
    texts = {arm: [given[row.id] for row in rows] for arm, given in answers.items()}
    texts["author"] = [row.reference for row in rows]
    scores = {arm: _scores(rows, posts, texts["author"]) for arm, posts in texts.items()}
    return Comparison(
        scores={"style_profile": scores},
        directions=dict(style_profile.METRICS),
        headlines=[],
        gate_metric=None,
        intervals=[],
        pictures={"style": style_profile.bars(scores)},
        shown=[_shown(row, scores, n) for n, row in enumerate(rows[:samples])],
        described=[
            f"style_profile: one answer of the service to each of {len(rows)} of {len(prompts)} "
            f"test prompts, temperature {options.temperature:g}, at most {options.max_new_tokens} "
            "tokens; answers of people are whole."
        ],
    )


def described(found: Comparison, model: Mapping[str, Any], champion: str | None) -> dict[str, Any]:
    """Return the manifest of the report; `champion` is the version that was asked too."""
    metrics = found.metrics()
    ours, base = (metrics[arm]["style_distance"] for arm in ("tuned", "base"))
    closer = "closer to" if ours < base else "no closer to"
    return {
        "objective": model["objective"],
        "author": metrics.pop("author"),
        "metrics": metrics,
        "directions": found.directions,
        "gate_metric": None,
        "undecided": UNDECIDED,
        "lower_is_better": [m for m, way in found.directions.items() if way == "lower"],
        "champion_version": champion,
        "intervals": [],
        "samples": found.shown,
        "verdict": f"The answers of the tuned model look {closer} people's than the base model's: "
        f"style_distance {ours:.3f} against {base:.3f}.",
        "notes": [UNDECIDED[0].upper() + UNDECIDED[1:] + "."],
        "described": found.described,
        "scores_hash": content_hash([metrics, found.shown]),
        "pictures": list(found.pictures),
        "test_rows": len(found.scores["style_profile"]["tuned"].rows),
    }


def _scores(rows: Sequence[Prompt], posts: Sequence[str], people: Sequence[str]) -> Scores:
    rates = profile(posts)
    metrics = {"style_distance": distance(rates, profile(people))}
    metrics |= {f"style_{name}": value for name, value in rates.items()}
    texts = zip(rows, posts, strict=True)
    return Scores(metrics, [{"id": row.id, "completion": post} for row, post in texts])


def _shown(row: Prompt, scores: Mapping[str, Scores], place: int) -> dict[str, str]:
    arms = {"reference": "author", "base": "base", "tuned": "tuned"}
    texts = {name: str(scores[arm].rows[place]["completion"]) for name, arm in arms.items()}
    return {"prompt": row.messages[-1]["content"], **texts}
