r"""The answer's result is the one that the document's metadata holds.

metadata["answer"]  "1,250"
answer              "Twelve crates of 100, and 50 more.\nThe answer is 1250."     accepted
metadata["answer"]  "partition pruning"
answer              "Answer: Partition pruning."                                  accepted
"""

from pydantic import Field

from assets import discovery
from assets.answers import difference
from assets.records import Document
from assets.teacher.verdict import Verdict, by_rule


class Options(discovery.Options):
    """Where the right answer is."""

    answer_from: str = Field(default="answer", min_length=1)  # its name in the metadata


def verify(answer: str, document: Document, options: Options) -> Verdict:
    """Return the verdict; raises ValueError where the document holds no right answer."""
    expected = document.metadata.get(options.answer_from, "").strip()
    if not expected:
        there = ", ".join(sorted(document.metadata)) or "none"
        raise ValueError(f"the metadata holds no {options.answer_from!r}; there are: {there}")
    return by_rule(difference(answer, expected))
