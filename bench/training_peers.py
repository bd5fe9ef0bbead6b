"""The trainers of other libraries that `bench.training` compares with ours.

Each comes as it is: the model given by its name, its own defaults. A lever turns one of our
settings on in it.
"""

from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from bench.training_arms import BATCH, GATE_BATCH, LEARNING, Arm, shared
from bench.training_inputs import LABELS


def peer(arm: Arm, levers: set[str]) -> Any:
    """Return the trainer of the arm's objective with these levers turned on in it."""
    from assets.finetuning.casting import cast_less
    from assets.finetuning.levers import attend
    from assets.finetuning.order import keep_order
    from assets.loading.models import inner_model

    trainer = _PEERS[arm.objective](arm, levers)
    if "micro-batches" in levers:
        keep_order(trainer)
    if levers & {"fewer casts", "bfloat16"}:
        cast_less(trainer)
    if "eager attention" in levers:
        kind = "embedding" if arm.objective == "embed" else ""
        attend(inner_model(trainer.model, kind), longest=0)
    return trainer


def _peer_arguments(arm: Arm, levers: set[str]) -> dict[str, Any]:
    batch = GATE_BATCH if arm.full_precision else BATCH
    import torch

    arguments = {**LEARNING, **shared(), **arm.settings, "output_dir": mkdtemp()}
    arguments["use_cpu"] = not torch.cuda.is_available()
    if arm.full_precision:
        arguments["bf16"] = False
    elif "bfloat16" in levers:
        arguments["bf16"] = True
    arguments["per_device_train_batch_size"] = batch
    if "micro-batches" in levers:
        from assets.finetuning.levers import best_cut

        cut = best_cut(batch, arm.inputs.read())
        arguments["per_device_train_batch_size"] = cut
        arguments["gradient_accumulation_steps"] = batch // cut
    return arguments


def _trl_sft(arm: Arm, levers: set[str]) -> Any:
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoTokenizer
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    from assets.finetuning.loss_head import LabelledLoss

    class Labelled(LabelledLoss, SFTTrainer):
        pass

    arguments = _peer_arguments(arm, levers)
    if "bfloat16 base" in levers:
        arguments["model_init_kwargs"] = {"dtype": "bfloat16"}
    if "no checkpointing" in levers:
        arguments["gradient_checkpointing"] = False
    lora = LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
    rows = [{name: row[name] for name in ("input_ids", "labels")} for row in arm.inputs.read()]
    return (Labelled if "labelled positions" in levers else SFTTrainer)(
        model=arm.inputs.location(),
        args=SFTConfig(**arguments, dataset_kwargs={"skip_prepare_dataset": True}),
        train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(Path(arm.inputs.examples) / "tokenizer"),
        peft_config=None if arm.method == "full" else lora,
    )


def _transformers_classify(arm: Arm, levers: set[str]) -> Any:
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
    )

    tokenizer = AutoTokenizer.from_pretrained(arm.inputs.location())
    rows = [{**row, "labels": row["labels"][0]} for row in arm.inputs.read()]
    return Trainer(
        model=AutoModelForSequenceClassification.from_pretrained(
            arm.inputs.location(), num_labels=len(LABELS)
        ),
        args=TrainingArguments(**_peer_arguments(arm, levers)),
        train_dataset=[{name: row[name] for name in ("input_ids", "labels")} for row in rows],  # type: ignore[arg-type]
        data_collator=DataCollatorWithPadding(tokenizer),
    )


def _sentence_transformers_embed(arm: Arm, levers: set[str]) -> Any:
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    from assets.finetuning.embedding import Collator, _ranked

    model = SentenceTransformer(arm.inputs.location(), device="cpu")
    rows, texts = arm.inputs.read(), ("anchor", "positive", "negative")
    more: dict[str, Any] = {}
    if "tokens made before" in levers:
        rows, more["data_collator"] = _ranked(rows), Collator(model.tokenizer)
    trainer = SentenceTransformerTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(**_peer_arguments(arm, levers)),
        train_dataset=Dataset.from_list([{name: row[name] for name in texts} for row in rows]),
        loss=MultipleNegativesRankingLoss(model),
        **more,
    )
    # It writes a card that asks the hub; it is no part of training.
    trainer.callback_handler.callbacks = [
        c for c in trainer.callback_handler.callbacks if "ModelCard" not in type(c).__name__
    ]
    return trainer


_PEERS = {
    "sft": _trl_sft,
    "classify": _transformers_classify,
    "embed": _sentence_transformers_embed,
}
