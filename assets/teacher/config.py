"""The `teacher:` section of a pipeline."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, NonNegativeFloat, model_validator

from assets.discovery import PluggedConfig


class TeacherConfig(PluggedConfig):
    """Who makes samples of the documents, and what that may cost; the task adds keys of its own."""

    plugged: ClassVar[Mapping[str, str]] = {"task": "assets.teacher.tasks"}

    task: str | None = None  # a file of assets/teacher/tasks; null: documents pass as samples
    model: str | None = None  # null: the task's offline method; a name: that model is asked
    max_cost_usd: NonNegativeFloat = 1.0  # what one materialization may spend at the teacher
    price_per_million: tuple[NonNegativeFloat, NonNegativeFloat] | None = None  # [in, out] in USD
    max_concurrency: int = Field(default=8, ge=1)  # requests in flight at once
    temperature: float | None = Field(default=None, ge=0, le=2)  # null: the model's own default
    max_output_tokens: int = Field(default=500, ge=1)  # an answer is cut there; bounds its cost
    timeout_seconds: float = Field(default=60.0, gt=0)  # of silence before a request is retried
    max_failure_rate: float = Field(default=0.1, ge=0, le=1)  # above it the check blocks

    @model_validator(mode="after")
    def _a_model_has_a_task(self) -> "TeacherConfig":
        if self.model and not self.task:
            raise ValueError(f"model {self.model!r} has no task: name one with task:")
        return self
