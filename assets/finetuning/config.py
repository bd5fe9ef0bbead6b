"""The `finetuning:` section of a pipeline; names as transformers, TRL and PEFT spell them."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from assets.discovery import PluggedConfig, find
from assets.models import parse_base_model

OBJECTIVES = "assets.finetuning.objectives"
METHODS = "assets.finetuning.methods"


class ScratchConfig(BaseModel):
    """The small Llama that `base_model: scratch` builds, and its short pre-training."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hidden_size: int = 256
    num_hidden_layers: int = 4
    num_attention_heads: int = 4
    max_position_embeddings: int = 1024
    num_train_epochs: float = 8  # over the training split's own text
    learning_rate: float = 2e-3


class FinetuningConfig(PluggedConfig):
    """What is trained from what, and how; objective and method add keys of their own."""

    plugged: ClassVar[Mapping[str, str]] = {"objective": OBJECTIVES, "method": METHODS}

    objective: str  # a file of assets/finetuning/objectives
    method: str = "lora"  # a file of assets/finetuning/methods
    base_model: str  # hub id with @revision, folder, package:NAME, scratch
    scratch: ScratchConfig = ScratchConfig()

    learning_rate: float = Field(default=2e-4, gt=0)
    num_train_epochs: float = Field(default=3, gt=0)
    max_steps: int = -1  # a positive number overrides num_train_epochs
    per_device_train_batch_size: int = Field(default=8, ge=1)
    gradient_accumulation_steps: int = Field(default=1, ge=1)
    lr_scheduler_type: Literal["linear", "cosine", "constant", "constant_with_warmup"] = "cosine"
    warmup_steps: float = Field(default=0.1, ge=0)  # below 1: a share of all steps
    weight_decay: float = Field(default=0.0, ge=0)
    max_grad_norm: float = Field(default=1.0, gt=0)
    optim: str = "adamw_torch"  # any that transformers names; adamw_bnb_8bit is bitsandbytes'
    bf16: bool | None = None  # bfloat16 autocast; None: where the device computes it natively
    seed: int = 0

    @model_validator(mode="after")
    def _can_be_trained(self) -> "FinetuningConfig":
        parse_base_model(self.base_model)
        taken = find(METHODS, self.method).OBJECTIVES
        if self.objective not in taken:
            raise ValueError(
                f"method {self.method!r} cannot train {self.objective!r}; "
                f"it can: {', '.join(taken)}"
            )
        if self.base_model == "scratch" and find(OBJECTIVES, self.objective).EXAMPLES != "chat":
            raise ValueError("base_model 'scratch' builds a causal model: it needs objective sft")
        return self

    def training_arguments(self) -> dict[str, object]:
        """Return the keys that transformers' TrainingArguments take by the same names."""
        section = set(FinetuningConfig.model_fields) - {*self.plugged, "base_model", "scratch"}
        return self.model_dump(mode="json", include=section)
