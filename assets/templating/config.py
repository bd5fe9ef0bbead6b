"""The `templating:` section of a pipeline."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, field_validator

TEMPLATES = Path(__file__).parent / "templates"


def template_names() -> list[str]:
    """Return the chat templates that exist: the files of `templates/`."""
    return sorted(path.stem for path in TEMPLATES.glob("*.jinja"))


ChatTemplate = Annotated[str, WithJsonSchema({"type": "string", "enum": template_names()})]


class TemplatingConfig(BaseModel):
    """How a sample becomes tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    chat_template: ChatTemplate = "chatml"  # for prompt and completion: a file of templates/
    system: str = ""  # the system message before every prompt; empty: none
    fields: tuple[str, ...] = ("subject", "body", "links")  # for classifiers: a line each, in order
    max_length: int = Field(
        default=512, ge=8
    )  # tokens; what is longer is cut at the end, and counted; plain text is split instead
    max_truncated_rate: float = Field(
        default=0.05, ge=0, le=1
    )  # above it the preflight check blocks
    # The base model whose tokenizer renders; null: the one of finetuning:, or scratch without one.
    tokenizer: str | None = None
    vocab_size: int = Field(default=2048, ge=300)  # of the tokenizer that a scratch model trains

    @field_validator("chat_template")
    @classmethod
    def _template_exists(cls, name: str) -> str:
        if name not in template_names():
            raise ValueError(f"unknown chat_template {name!r}; there are: {template_names()}")
        return name

    def template_source(self) -> str:
        """Return the text of the chat template."""
        return (TEMPLATES / f"{self.chat_template}.jinja").read_text(encoding="utf-8")
