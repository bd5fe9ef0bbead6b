"""Of several answers of the teacher those that a verifier accepts.

    text       "A crate holds 24 bottles. How many are 52 crates?"     metadata answer: "1248"
    answers    "52 · 24 = 1,248."  "52 · 24 = 1,148."  "It is 1248."   accepted: 2/3
    completion "52 · 24 = 1,248."

The augmented teacher, q(y|x) ∝ p(y|x)·A(x, y): a student of its accepted answers can pass the
teacher, which one of its plain answers cannot. No answer is made up without a teacher, so there is
no offline method.
"""

from collections.abc import Generator, Sequence
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from assets import discovery
from assets.discovery import find, options_of
from assets.records import Document
from assets.teacher import answering
from assets.teacher.answering import answer_messages, answer_of, filled, require_text, stand_in
from assets.teacher.protocol import Checked, Example, Refused, Request, Schema, Stages
from assets.teacher.refusals import is_refusal
from assets.teacher.verdict import Verdict

VERSION: str = "1"
SCHEMA: Schema = answering.SCHEMA
VERIFIERS = "assets.teacher.verifiers"

_TEXT = "A crate holds 24 bottles. How many bottles are 52 crates?"
EXAMPLE = Example(
    document=Document("example", "example", "train", _TEXT, {"answer": "1248"}),
    answer={"answer": "52 crates of 24 bottles are 52 · 24 = 1,248 bottles."},
    samples=[
        {
            "prompt": _TEXT,
            "completion": "52 crates of 24 bottles are 52 · 24 = 1,248 bottles.",
            "accepted": "4/4",
        }
    ],
)


class Options(discovery.Options):
    """What is answered, how often, and what an answer must stand up to."""

    # The prompt, as teacher and student get it; metadata may stand in braces too.
    prompt: str = "{text}"
    prompt_from: str | None = None  # the metadata that is {text} then
    style: str = ""  # one more rule for the teacher: "Think step by step, then give the result."
    n_answers: int = Field(default=4, ge=1, le=64)  # drawn for each prompt; set a temperature
    verifier: str = "exact_match"  # a file of assets/teacher/verifiers
    verify: dict[str, Any] = Field(default_factory=dict)  # the verifier's own keys
    # Of the accepted answers: the first drawn, every different one, or the highest score.
    keep: Literal["first", "all", "best"] = "first"

    @field_validator("prompt")
    @classmethod
    def _holds_the_text(cls, prompt: str) -> str:
        return require_text(prompt)

    @model_validator(mode="after")
    def _verifier_takes_its_keys(self) -> "Options":
        verifying(self)
        return self


def verifying(options: Options) -> Any:
    """Return the options of the verifier; raises ValueError for an unknown verifier or key."""
    return options_of(VERIFIERS, options.verifier)(**options.verify)


def stages(document: Document, safe: Document, options: Options) -> Stages:
    """Ask for the answers, let each be verified, and return a sample for each that is kept."""
    asked, safely = (answering.asking(d, options.prompt_from) for d in (document, safe))
    prompt, safe_prompt = (filled(options.prompt, d) for d in (asked, safely))
    requested = answer_messages(options.prompt, safely, options.style)
    drawn = yield [
        Request(requested, SCHEMA, answer_of, number, stand_in(number))
        for number in range(options.n_answers)
    ]
    answers = [answer for answer in drawn if not isinstance(answer, Refused)]
    if not answers:
        raise ValueError(drawn[0].reason)
    verdicts = yield from _verdicts(answers, document, safe, safe_prompt, options)
    accepted = [pair for pair in zip(answers, verdicts, strict=True) if pair[1].accepted]
    if not accepted:
        raise ValueError(f"none of {len(drawn)} answers was accepted: {verdicts[0].problem}")
    rate = f"{len(accepted)}/{len(drawn)}"
    return [
        {"prompt": prompt, "completion": answer, "accepted": rate}
        for answer in _kept(accepted, options.keep)
    ]


def faults(checked: Sequence[Checked], options: Options) -> dict[str, str]:
    """Return the answers that a rule does not accept again, and the refusals."""
    verifier, keys = find(VERIFIERS, options.verifier), verifying(options)
    found = {}
    for row in checked:
        answer = row.sample.fields["completion"]
        if is_refusal(answer):
            found[row.sample.id] = "the answer is a refusal"
        elif hasattr(verifier, "verify"):
            found[row.sample.id] = verifier.verify(answer, row.document, keys).problem
    return {id: reason for id, reason in found.items() if reason}


def _verdicts(
    answers: list[str], document: Document, safe: Document, prompt: str, options: Options
) -> Generator[list[Request], list[Any], list[Verdict]]:
    verifier, keys = find(VERIFIERS, options.verifier), verifying(options)
    if hasattr(verifier, "verify"):
        return [verifier.verify(answer, document, keys) for answer in answers]
    said = yield [verifier.request(prompt, answer, safe, keys) for answer in answers]
    return [Verdict(0.0, v.reason) if isinstance(v, Refused) else v for v in said]


def _kept(accepted: list[tuple[str, Verdict]], keep: str) -> list[str]:
    if keep == "all":
        return list(dict.fromkeys(answer for answer, _ in accepted))
    if keep == "best":
        return [max(accepted, key=lambda pair: pair[1].score)[0]]
    return [accepted[0][0]]
