"""The `teacher:` section of a pipeline."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, NonNegativeFloat, field_validator, model_validator

from assets.discovery import PluggedConfig, find
from assets.teacher.protocol import first_messages, prompt_version
from assets.teacher.wordings import require_fillable

TASKS = "assets.teacher.tasks"


class TeacherConfig(PluggedConfig):
    """Who makes samples of the documents, and what that may cost; the task adds keys of its own."""

    plugged: ClassVar[Mapping[str, str]] = {"task": TASKS}

    task: str | None = None  # a file of assets/teacher/tasks; null: documents pass as samples
    model: str | None = None  # null: the task's offline method; a name: that model is asked
    # live: one request a question. batch: the hosted Batch API, half the price, within a day.
    # replay: only answers that the cache holds; nothing is asked.
    mode: Literal["live", "batch", "replay"] = "live"

    max_cost_usd: NonNegativeFloat = 1.0  # what one materialization may spend at the teacher
    max_calls: int | None = Field(default=None, ge=0)  # requests one materialization may send
    price_per_million: tuple[NonNegativeFloat, NonNegativeFloat] | None = None  # [in, out] in USD
    max_concurrency: int = Field(default=32, ge=1)  # requests in flight at once
    temperature: float | None = Field(default=None, ge=0, le=2)  # null: the model's own default
    max_output_tokens: int = Field(default=500, ge=1)  # an answer is cut there; bounds its cost
    timeout_seconds: float = Field(default=60.0, gt=0)  # for one whole answer; then it is retried
    batch_poll_seconds: float = Field(default=30.0, gt=0)  # between two looks at a batch
    max_failure_rate: float = Field(default=0.1, ge=0, le=1)  # above it the check blocks

    # Metadata of the document that its samples keep as fields, such as a ticket's queue: what a
    # method routes by. Documents that pass as samples keep all of theirs.
    carry: tuple[str, ...] = ()
    wordings: tuple[str, ...] = ()  # of the prompt, "{instruction}\n\n{input}"; a row draws one
    system_prompts: tuple[str, ...] = ()  # a row draws one; empty: templating.system for all

    audit_rows: int = Field(default=200, ge=0)  # samples that the audit looks at, drawn by hash
    audit_model: str | None = None  # a second model at the same endpoint that judges them too
    max_fault_rate: float = Field(default=0.05, ge=0, le=1)  # of audited rows; above it it blocks

    @field_validator("wordings", "system_prompts")
    @classmethod
    def _braces_hold_names(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        require_fillable(texts)
        return texts

    @model_validator(mode="after")
    def _somebody_can_do_it(self) -> "TeacherConfig":
        if self.model and not self.task:
            raise ValueError(f"model {self.model!r} has no task: name one with task:")
        if self.model is None and (self.mode != "live" or self.audit_model):
            given = f"mode {self.mode!r}" if self.mode != "live" else "audit_model"
            raise ValueError(f"{given} needs a teacher: name one with model:")
        if (task := self.task_module()) is not None:
            if self.model is None and not hasattr(task, "offline"):
                raise ValueError(f"task {self.task!r} has no offline method: name a model:")
            if self.model and not (hasattr(task, "messages") or hasattr(task, "stages")):
                raise ValueError(f"task {self.task!r} asks no teacher: leave model: out")
        return self

    def task_module(self) -> Any:
        """Return the task's module, None where documents pass as samples."""
        return find(TASKS, self.task) if self.task else None

    def fixed_messages(self) -> frozenset[str]:
        """Return the contents of messages that the task says about every document."""
        said = first_messages(self.task_module(), self.options("task"))
        return frozenset(message["content"] for message in said)

    def decides(self) -> list[object]:
        """Return all of the section that decides which samples there are.

        A higher cap, another way to send the same requests, a stricter audit: the rows stay.
        """
        about_the_way = {
            *("mode", "max_cost_usd", "max_calls", "price_per_million", "max_concurrency"),
            *("timeout_seconds", "batch_poll_seconds", "max_failure_rate"),
            *("audit_rows", "audit_model", "max_fault_rate"),
        }
        said = self.model_dump(mode="json", exclude=about_the_way)
        task = self.task_module()
        return [said, prompt_version(task, self.options("task"))] if task else [said]
