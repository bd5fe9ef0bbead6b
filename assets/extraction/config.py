"""The `extraction:` section of a pipeline."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from assets.discovery import PluggedConfig

PersonalData = Literal["email", "phone", "card", "iban", "secret", "name"]


class SplitConfig(BaseModel):
    """Which share of the groups goes where; the rest is `train`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    eval: float = Field(default=0.1, ge=0, lt=1)  # watched while training
    test: float = Field(default=0.2, gt=0, lt=1)  # frozen: only evaluation reads it
    seed: int = 0  # another seed draws other groups

    @model_validator(mode="after")
    def _leaves_rows_to_train_on(self) -> "SplitConfig":
        if self.eval + self.test >= 1:
            raise ValueError(f"eval {self.eval} + test {self.test} leaves nothing to train on")
        return self


class ExtractionConfig(PluggedConfig):
    """Where the raw text lies and how it becomes documents; the source adds keys of its own."""

    plugged: ClassVar[Mapping[str, str]] = {"source": "assets.extraction.sources"}

    source: str  # a file of assets/extraction/sources
    path: Path  # the export: absolute, or relative to the pipeline's folder
    # What becomes a pseudonym: `secret` is a password or token inside a link, `name` a person whom
    # the source names (a sender, a recipient, a speaker), wherever the text names them.
    redact: tuple[PersonalData, ...] = ("email", "phone", "card", "iban", "secret", "name")
    split: SplitConfig = SplitConfig()
    max_unreadable_rate: float = Field(default=0.1, ge=0, le=1)  # above it the check blocks
    min_documents: int = Field(default=10, ge=3)  # with fewer rows the asset fails
