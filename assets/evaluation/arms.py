"""The models that are compared, each an arm: the base, the champion if there is one, the tuned."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.evaluation.test_set import IGNORED, TestSet, first_foreseen
from assets.questions import question_of
from assets.records import Row, TrainingExample

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Arm:
    """A model in evaluation mode, and how it reads a row."""

    name: str  # "base", "champion" or "tuned"
    model: Any  # a transformers model, or a SentenceTransformer
    tokenizer: "PreTrainedTokenizerBase"
    same_tokens: bool  # False: an earlier champion whose tokenizer is another
    kind: str = "causal"  # of the model

    def sequence(self, test: TestSet, row: TrainingExample) -> tuple[list[int], list[int]]:
        """Return input ids and labels of a text row, encoded anew where the tokenizer differs."""
        return self.encoded(test, row.id, row.input_ids, row.labels)

    def encoded(
        self, test: TestSet, row_id: str, input_ids: list[int], labels: list[int]
    ) -> tuple[list[int], list[int]]:
        """Return this arm's ids and labels of a prompt with its answer, whose tokens are given."""
        if self.same_tokens:
            return input_ids, labels
        start = first_foreseen(row_id, labels)
        prompt = self._encode(test.decode(input_ids[:start], special=True))
        completion = self._encode(test.decode(input_ids[start:], special=True))
        return prompt + completion, [IGNORED] * len(prompt) + completion

    def text_ids(self, test: TestSet, row: TrainingExample) -> list[int]:
        """Return the input ids of a classifier's row."""
        if self.same_tokens:
            return row.input_ids
        ids = self.tokenizer(row.text, truncation=True, max_length=test.max_length)["input_ids"]
        return list(ids)  # type: ignore[arg-type]

    def _encode(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])  # type: ignore[arg-type]


@dataclass(frozen=True)
class Scores:
    """What one benchmark found out about one arm."""

    metrics: dict[str, float]
    rows: list[Row]  # one a test row, in the test set's order, each with its `id`


def load_arm(name: str, folder: Path, test: TestSet) -> Arm:
    """Return the arm `name` from a `fine_tuned_model` folder, on the GPU where there is one."""
    from assets.loading.models import load_base, load_tuned, reading_with
    from assets.loading.ready import ready

    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    tokenizer, kind = test.tokenizer, question_of(manifest).model
    if name == "base":
        model = reading_with(load_base(manifest), kind, tokenizer)
    else:
        model, tokenizer = load_tuned(folder)
    same = tokenizer.get_vocab() == test.tokenizer.get_vocab()
    return Arm(name, ready(model, tokenizer, kind, test.max_length), tokenizer, same, kind)
