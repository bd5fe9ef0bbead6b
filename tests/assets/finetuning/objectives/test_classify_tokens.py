"""What an encoder learns of names, trained for a moment."""

from pathlib import Path

import pytest
import torch

from assets.loading.entities import encode, spans_of
from assets.loading.models import load_tuned
from tests.assets.finetuning import tiny


@pytest.mark.slow
def test_the_trained_model_finds_the_names_of_the_eval_split(tmp_path: Path) -> None:
    folder, manifest = tiny.train(tmp_path, "classify_tokens", "full", num_train_epochs=8)
    assert manifest["labels"] == ["B-NAME", "I-NAME", "O"]
    model, tokenizer = load_tuned(folder)
    rows = [s.fields for s in tiny.samples() if s.split == "eval"]
    for fields in rows:
        text = fields["text"]
        ids, offsets = encode(text, tokenizer, tiny.LONGEST)
        with torch.inference_mode():
            found = model(input_ids=torch.tensor([ids])).logits[0].argmax(-1).tolist()
        names = spans_of(text, offsets, [manifest["labels"][i] for i in found])
        assert [text[s["start"] : s["end"]] for s in names] == [
            name for name in tiny.NAMES if name in text
        ]
