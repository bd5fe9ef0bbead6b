"""A prompt that gives the answer away: the model would learn to copy."""

from collections.abc import Sequence

from pydantic import Field

from assets import discovery
from assets.records import Sample
from assets.validation.reading import words

VERSION = "1"


class Options(discovery.Options):
    """Compared word by word, without case, marks and spaces."""

    max_shared_words: int = Field(default=12, ge=1)  # a longer run of words in both is rejected


def reject(samples: Sequence[Sample], options: Options) -> dict[str, str]:
    """Return the samples whose prompt holds the completion's first line, or a long run of it."""
    found = {sample.id: _problem(sample, options.max_shared_words) for sample in samples}
    return {id: reason for id, reason in found.items() if reason}


def _problem(sample: Sample, max_shared_words: int) -> str:
    prompt, completion = _pair(sample)
    first = _first_line(completion)
    if first and f" {first} " in f" {' '.join(words(prompt))} ":
        return f"the prompt holds the completion's first line {first[:60]!r}"
    if shared := _runs(prompt, max_shared_words + 1) & _runs(completion, max_shared_words + 1):
        return f"prompt and completion share {max_shared_words + 1} words or more: {min(shared)!r}"
    return ""


def _pair(sample: Sample) -> tuple[str, str]:
    try:
        return sample.fields["prompt"], sample.fields["completion"]
    except KeyError as missing:
        raise ValueError(
            f"rule answer_in_prompt needs the field {missing}, but {sample.id} holds "
            f"{', '.join(sorted(sample.fields))}: leave the rule out, or name a teacher task"
        ) from None


def _first_line(text: str) -> str:
    """Return the words of the first line that has any."""
    return next((" ".join(found) for line in text.splitlines() if (found := words(line))), "")


def _runs(text: str, length: int) -> set[str]:
    found = words(text)
    return {" ".join(found[i : i + length]) for i in range(len(found) - length + 1)}
