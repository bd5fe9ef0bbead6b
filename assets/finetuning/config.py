"""The `finetuning:` section of a pipeline; names as transformers, TRL and PEFT spell them."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from assets.discovery import PluggedConfig, find, names
from assets.finetuning.adapters.averaging import average_refusal
from assets.finetuning.adapters.routing import routing_refusal
from assets.finetuning.pairs import METHODS, OBJECTIVES, is_hosted, refusal, settings_refusal
from assets.models import parse_base_model

SCRATCH_KINDS = ("causal", "score")  # of models: what a scratch Llama can be
Scheduler = Literal[
    "linear",
    "cosine",
    "constant",
    "constant_with_warmup",
    "inverse_sqrt",
    "polynomial",
]


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
    # Hub id with @revision, folder, package:NAME, pipeline:NAME, scratch; for hosted the service's.
    base_model: str
    scratch: ScratchConfig = ScratchConfig()

    learning_rate: float = Field(default=2e-4, gt=0)  # too high diverges, too low hardly moves
    find_learning_rate: bool = False  # find it by a short range test on the rows instead
    num_train_epochs: float = Field(default=3, gt=0)  # more fits closer, then over-fits
    max_steps: int = -1  # a positive number overrides num_train_epochs
    per_device_train_batch_size: int = Field(default=8, ge=1)  # rows a step: more, steadier, slower
    gradient_accumulation_steps: int = Field(default=1, ge=1)  # batches a step, one after another
    # Rows of a batch computed at a time: fewer, less memory. None: on a CPU as many as are fast.
    micro_batch_size: int | None = Field(default=None, ge=1)
    lr_scheduler_type: Scheduler = "cosine"
    warmup_steps: float = Field(default=0.1, ge=0)  # below 1: a share of all steps
    weight_decay: float = Field(default=0.0, ge=0)  # pulls weights to zero: against over-fitting
    max_grad_norm: float = Field(default=1.0, gt=0)  # a longer gradient is cut to this length
    optim: str | None = None  # any that transformers names; None: the method's own, adamw_torch
    bf16: bool | None = None  # bfloat16 autocast; None: where the device computes it natively
    gradient_checkpointing: bool = False  # recomputes activations: less memory, 20 % slower
    neftune_noise_alpha: float | None = None  # noise on embeddings (5 to 15): against over-fitting
    label_smoothing_factor: float = Field(default=0.0, ge=0, lt=1)  # shares a label with the others
    dropout: float | None = Field(default=None, ge=0, lt=1)  # of the base model; None: its own
    group_by_length: bool = False  # rows of like length together: less padding
    early_stopping_patience: int | None = Field(default=None, ge=1)  # evals without a better loss
    save_steps: int = Field(default=100, ge=1)  # a killed run loses at most so many steps
    seed: int = 0
    # Key of this section -> values to try: one training for each combination, the best published.
    sweep: dict[str, list[int | float | str | bool]] | None = None
    # Several adapters on one base: a field of the rows, and its values, or value -> weight in the
    # average of all of them, which answers the rows of any other value.
    adapters_by: str | None = None
    adapters: list[str] | dict[str, float] | None = None

    # After training; what is published, evaluated and registered is then the finished model.
    merge_adapter: bool = False  # into the weights: larger on disk, no slower than its base
    # Another model of the same shapes, named as base_model is -> its share of every weight.
    average_with: dict[str, float] | None = None
    quantise: Literal["int8", "nf4"] | None = None  # a quarter or an eighth of the bytes

    @model_validator(mode="after")
    def _can_be_trained(self) -> "FinetuningConfig":
        if reason := refusal(self.objective, self.method):
            fitting = [m for m in names(METHODS) if refusal(self.objective, m) is None]
            raise ValueError(
                f"method {self.method!r} cannot train {self.objective!r}: {reason}; "
                f"these can: {', '.join(fitting)}"
            )
        if self.hosted:
            find(METHODS, self.method).require(self.objective, self.base_model, self._named())
            return self
        if reason := routing_refusal(self):
            raise ValueError(reason)
        if reason := settings_refusal(
            self.method, self.gradient_checkpointing, self.merge_adapter, self.quantise
        ) or average_refusal(self):
            raise ValueError(reason)
        batch = self.per_device_train_batch_size
        if self.micro_batch_size and batch % self.micro_batch_size:
            raise ValueError(
                f"micro_batch_size {self.micro_batch_size} does not divide "
                f"per_device_train_batch_size {batch}: take one of "
                f"{', '.join(str(n) for n in range(1, batch + 1) if batch % n == 0)}"
            )
        if problems := [*self._ignored(), *self._objectives_problems()]:
            raise ValueError("; ".join(problems))
        scratch = parse_base_model(self.base_model).kind == "scratch"
        if scratch and find(OBJECTIVES, self.objective).MODEL not in SCRATCH_KINDS:
            can = [o for o in names(OBJECTIVES) if find(OBJECTIVES, o).MODEL in SCRATCH_KINDS]
            raise ValueError(
                f"base_model 'scratch' builds a Llama, which {self.objective!r} cannot train; "
                f"these can: {', '.join(can)}"
            )
        return self

    def _named(self) -> dict[str, Any]:
        """Return what the pipeline sets itself, beside what every section names."""
        always = {*self.plugged, "base_model", "seed"}
        return {key: getattr(self, key) for key in sorted(self.model_fields_set - always)}

    @property
    def hosted(self) -> bool:
        """Whether a service trains its own model, so that none is loaded here."""
        return is_hosted(self.method)

    def tokenizer_model(self) -> str:
        """Return the base model whose tokenizer renders the rows; a service shows none."""
        return "scratch" if self.hosted else self.base_model

    def _ignored(self) -> list[str]:
        """Return what is set here and the objective would not heed, with the reason."""
        reasons: Mapping[str, str] = getattr(find(OBJECTIVES, self.objective), "IGNORES", {})
        return [
            f"{key} has no effect on {self.objective!r}: {reason}; leave it out"
            for key, reason in reasons.items()
            if getattr(self, key, None)
        ]

    def _objectives_problems(self) -> list[str]:
        """Return what the objective itself finds wrong with the section."""
        objective = find(OBJECTIVES, self.objective)
        return objective.problems(self) if hasattr(objective, "problems") else []

    def other_pipelines(self) -> list[str]:
        """Return the pipelines whose champion this one starts from, learns from or averages."""
        models = [self.base_model, self.teacher_model(), *(self.average_with or {})]
        named = [] if self.hosted else models
        parsed = [parse_base_model(text) for text in named if text]
        return sorted({base.name for base in parsed if base.kind == "pipeline"})

    def teacher_model(self) -> str | None:
        """Return the model that a distilling objective learns from; named as `base_model` is."""
        return getattr(self.options("objective"), "teacher_model", None)

    def training_arguments(self) -> dict[str, Any]:
        """Return the settings of the training, under the names that they have here."""
        others = {*self.plugged, "base_model", "scratch", "sweep", *self.finishing()}
        others |= {"adapters_by", "adapters"}
        section = set(FinetuningConfig.model_fields) - others
        optim = self.optim or getattr(find(METHODS, self.method), "OPTIM", "adamw_torch")
        return self.model_dump(mode="json", include=section) | {"optim": optim}

    def finishing(self) -> dict[str, Any]:
        """Return what is done with the model after training."""
        return {
            "merge_adapter": self.merge_adapter,
            "average_with": self.average_with or {},
            "quantise": self.quantise,
        }
