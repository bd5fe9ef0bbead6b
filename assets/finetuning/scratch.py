"""A small Llama from configuration, pre-trained briefly on the training split's own text.

It is no useful writer. It lets the whole line run, learn and be judged where no model can be had.
"""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets import processes
from assets.jobs import MANIFEST, Say, published, write_json
from assets.records import content_hash

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

BLOCK, BATCH = 128, 8  # tokens a row of pre-training, rows a step


def build_scratch(
    job: dict[str, Any], tokenizer: "PreTrainedTokenizerBase", train: list[dict[str, Any]], say: Say
) -> Path:
    """Return the folder of the pre-trained model; at once where the same one stands already."""
    texts = [[label for label in _learnt(row) if label != -100] for row in train]
    key = content_hash([texts, job["scratch"], job["settings"]["seed"], len(tokenizer)])
    folder = Path(job["base_models_dir"]) / key
    if not (folder / MANIFEST).exists():
        with published(folder) as aside:
            _pretrain(texts, job["scratch"], job["settings"]["seed"], tokenizer, aside, say)
            if processes.is_first():
                write_json(aside / MANIFEST, {"scratch": job["scratch"], "rows": len(texts)})
        processes.wait_for_all()  # until it is published
    return folder


def _learnt(row: dict[str, Any]) -> list[int]:
    """Return the labels of a row; those of the wanted answer where there are two."""
    return row["labels"] if "labels" in row else row["chosen_labels"]


def _pretrain(
    texts: list[list[int]],
    scratch: dict[str, Any],
    seed: int,
    tokenizer: "PreTrainedTokenizerBase",
    folder: Path,
    say: Say,
) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments, set_seed

    from assets.finetuning.config import FinetuningConfig
    from assets.finetuning.training import shared_arguments, train
    from assets.finetuning.watch import Watch

    set_seed(seed)
    vocabulary = tokenizer.get_vocab()
    shape = {k: v for k, v in scratch.items() if k not in ("num_train_epochs", "learning_rate")}
    config = LlamaConfig(
        **shape,
        vocab_size=len(tokenizer),
        intermediate_size=4 * scratch["hidden_size"],
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=vocabulary[str(tokenizer.eos_token)],
        pad_token_id=vocabulary[str(tokenizer.pad_token)],
    )
    stream = [token for text in texts for token in text]
    blocks = [stream[i : i + BLOCK] for i in range(0, len(stream) - BLOCK + 1, BLOCK)]
    defaults = FinetuningConfig(objective="sft", method="full", base_model="scratch")
    settings = defaults.training_arguments() | {
        "num_train_epochs": scratch["num_train_epochs"],
        "learning_rate": scratch["learning_rate"],
        "seed": seed,
        # as many rows a step however many processes: it is the same base
        "per_device_train_batch_size": max(1, BATCH // processes.count()),
    }
    model = LlamaForCausalLM(config)
    trainer = Trainer(
        model=model,
        args=TrainingArguments(**shared_arguments(len(blocks), False, settings, folder)),
        train_dataset=[{"input_ids": b, "labels": b} for b in blocks],  # type: ignore[arg-type]
        callbacks=[Watch(say, "pre-training the scratch base", len(blocks) * BLOCK)],
    )
    train(trainer)
    if not processes.is_first():
        return
    shutil.rmtree(folder / "trainer", ignore_errors=True)
    model.save_pretrained(folder)
