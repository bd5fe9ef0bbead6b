"""A prompt that gives the answer away: the model would learn to copy."""

from collections.abc import Sequence

from pydantic import Field

from assets import discovery
from assets.records import Sample
from assets.similarity.words import words

VERSION = "1"
# Which field is asked with, which one answers, and how much of the answer is its mark.
_SIDES = (
    ("prompt", "completion", "first line"),
    ("prompt", "chosen", "first line"),
    ("anchor", "positive", "text"),
)


class Options(discovery.Options):
    """Compared word by word, without case, marks and spaces."""

    max_shared_words: int = Field(default=12, ge=1)  # a longer run of words in both is rejected


def reject(samples: Sequence[Sample], options: Options) -> dict[str, str]:
    """Return the samples whose prompt holds the answer's first line, or a long run of it.

    An anchor may hold the first line of its positive, which is often a title, but not all of it.
    """
    found = {sample.id: _problem(sample, options.max_shared_words) for sample in samples}
    return {id: reason for id, reason in found.items() if reason}


def _problem(sample: Sample, max_shared_words: int) -> str:
    asked, answer, mark = _sides(sample)
    prompt, completion = sample.fields[asked], sample.fields[answer]
    first = _first_line(completion) if mark == "first line" else " ".join(words(completion))
    if first and f" {first} " in f" {' '.join(words(prompt))} ":
        return f"the {asked} holds the {answer}'s {mark} {first[:60]!r}"
    if shared := _runs(prompt, max_shared_words + 1) & _runs(completion, max_shared_words + 1):
        return f"{asked} and {answer} share {max_shared_words + 1} words or more: {min(shared)!r}"
    return ""


def _sides(sample: Sample) -> tuple[str, str, str]:
    for asked, answer, mark in _SIDES:
        if asked in sample.fields and answer in sample.fields:
            return asked, answer, mark
    needed = [name for name in ("prompt", "completion") if name not in sample.fields]
    raise ValueError(
        f"rule answer_in_prompt needs the field {needed[0]!r}, but {sample.id} holds "
        f"{', '.join(sorted(sample.fields))}: leave the rule out, or name a teacher task"
    )


def _first_line(text: str) -> str:
    """Return the words of the first line that has any."""
    return next((" ".join(found) for line in text.splitlines() if (found := words(line))), "")


def _runs(text: str, length: int) -> set[str]:
    found = words(text)
    return {" ".join(found[i : i + length]) for i in range(len(found) - length + 1)}
