"""The `registration:` section of a pipeline."""

from pydantic import BaseModel, ConfigDict, Field


class Gate(BaseModel):
    """What a tuned model must reach before it goes into service."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    metric: str | None = None  # one of the evaluation; None: what its benchmarks name
    # how much worse than the champion a new model may be, in the metric's own units: runs on the
    # same data differ by chance, and fresher data is worth that much
    margin: float = Field(default=0.02, ge=0)
    # true: the whole 95 % interval of the difference to the champion, paired by test row, must be
    # within the margin. It is the safer rule, and on few test rows hardly any model passes it.
    certain: bool = False
    beat_baseline: bool = True  # false lets a model pass that is no better than the simple baseline


class RegistrationConfig(BaseModel):
    """When a model is promoted."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    gate: Gate = Gate()
