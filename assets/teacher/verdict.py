"""What a verifier says of an answer: A(x, y) of q(y|x) ∝ p(y|x)·A(x, y).

A verifier is a module of `assets/teacher/verifiers`. One that reads the answer by a rule has

    class Options(assets.discovery.Options): ...          # its keys in the YAML, under `verify:`
    def verify(answer, document, options) -> Verdict: ...

and one that asks a model has, instead of `verify`,

    def request(prompt, answer, safe, options) -> Request: ...   # whose `parse` makes the Verdict
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an answer stands, and how well."""

    score: float  # 0..1; among accepted answers the highest is the best
    problem: str = ""  # why it is not accepted, empty where it is

    @property
    def accepted(self) -> bool:
        """Return whether the answer may be learnt from."""
        return not self.problem


def by_rule(problem: str) -> Verdict:
    """Return the verdict of a rule: all or nothing."""
    return Verdict(0.0 if problem else 1.0, problem)
