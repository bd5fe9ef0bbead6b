"""A tiny base, a tuned model and examples with a test split, for every kind of rows and model."""

import json
import shutil
from pathlib import Path
from typing import Any

from assets.loading.models import load_base
from tests.assets.evaluation.conftest import write_model
from tests.assets.finetuning import tiny

OBJECTIVES = {  # objective -> rows, model
    "causal_lm": ("plain", "causal"),
    "dpo": ("preference", "causal"),
    "reward": ("preference", "score"),
    "embed": ("retrieval", "embedding"),
    "rerank": ("retrieval", "score"),
    "classify_tokens": ("tokens", "tokens"),
}


def make_judged(root: Path, objective: str) -> Path:
    """Write base, tuned model and examples; the tuned weights are the base's, moved a little."""
    import torch
    from transformers import AutoTokenizer

    rows, kind = OBJECTIVES[objective]
    _examples(tiny.examples(rows), root / "examples")
    architecture = "llama" if rows in ("plain", "preference") else "bert"
    shutil.copytree(tiny.base(architecture), root / "base")
    tokenizer = AutoTokenizer.from_pretrained(root / "examples" / "tokenizer")
    tokenizer.save_pretrained(root / "base")
    template = json.loads((root / "examples" / "template.json").read_text(encoding="utf-8"))
    manifest: dict[str, Any] = {
        "objective": objective,
        "examples": rows,
        "model_kind": kind,
        "labels": template["labels"],
        "base_model": {"kind": "folder", "name": "base", "revision": None, "path": ""},
        "inputs": {"training_examples": "examples1"},
        "packages": {"torch": "2"},
        "seed": 7,
    }
    manifest["base_model"]["path"] = str(root / "base")
    model = load_base(manifest)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.02 * torch.randn_like(parameter)
    write_model(root / "model", model, tokenizer, **manifest)
    shutil.copy(root / "examples" / "template.json", root / "model" / "model")
    return root


def _examples(made: Path, folder: Path) -> None:
    """Copy tiny examples, the split eval named test."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    shutil.copytree(made, folder)
    rows = pq.read_table(folder / "rows.parquet").to_pylist()
    for row in rows:
        row["split"] = {"eval": "test"}.get(row["split"], row["split"])
    pq.write_table(pa.Table.from_pylist(rows), folder / "rows.parquet")
