"""What every arm is measured on: the frozen test split of `training_examples`, as it was rendered.

A text model's row: `{"id": "5f0c…", "input_ids": [3, 9, 7, 2], "labels": [-100, -100, 7, 2]}`. Its
prompt is [3, 9], its completion [7, 2]. Of a text without a prompt the first token stands for one:
no model foresees it. A classifier's `labels` holds one class index.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from os.path import commonprefix
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from assets.records import PreferenceExample, RetrievalExample, TrainingExample

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100  # the label of a token that nothing is learnt from
Example = TypeVar("Example", TrainingExample, PreferenceExample, RetrievalExample)
_RECORDS = {"preference": PreferenceExample, "retrieval": RetrievalExample}


@dataclass(frozen=True)
class TestSet(Generic[Example]):
    """The rows of the test split, and the train split for what a baseline learns from."""

    __test__ = False  # not a test, whatever pytest thinks of the name

    rows: list[Example]  # sorted by id
    train: list[Example]
    tokenizer: "PreTrainedTokenizerBase"
    labels: list[str] | None  # the classes; None where nothing is told apart
    max_length: int  # tokens

    def classes(self) -> list[str]:
        """Return the names of the classes; raises for a text model."""
        if self.labels is None:
            raise ValueError("training_examples name no labels: they are not for a classifier")
        return self.labels

    def decode(self, ids: list[int], special: bool = False) -> str:
        """Return the text of token ids, with its special tokens where asked."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=not special))


def read_test_set(folder: Path) -> "TestSet[Any]":
    """Return the test set of a `training_examples` folder; raises where its test split is empty."""
    import pyarrow.parquet as pq
    from transformers import AutoTokenizer

    template = json.loads((folder / "template.json").read_text(encoding="utf-8"))
    record = _RECORDS.get(template["kind"], TrainingExample)
    rows = pq.read_table(folder / "rows.parquet").to_pylist()
    examples: list[Any] = sorted((record.from_row(row) for row in rows), key=lambda row: row.id)
    test = [row for row in examples if row.split == "test"]
    if not test:
        raise ValueError(
            f"none of the {len(examples)} rows of {folder.name} is in the test split: "
            "raise extraction.split.test or add data"
        )
    return TestSet(
        test,
        [row for row in examples if row.split == "train"],
        AutoTokenizer.from_pretrained(folder / "tokenizer"),
        template["labels"],
        template["max_length"],
    )


def prompt_length(row: TrainingExample) -> int:
    """Return the tokens before the first foreseen one; raises where nothing is foreseen."""
    return first_foreseen(row.id, row.labels)


def first_foreseen(row_id: str, labels: Sequence[int]) -> int:
    """Return where the tokens begin that a model has to foresee; raises where there are none."""
    for position, label in enumerate(labels):
        if position and label != IGNORED:
            return position
    raise ValueError(f"test row {row_id} has no trained token: its completion is empty")


def completion_ids(row: TrainingExample) -> list[int]:
    """Return the trained token ids that a model can foresee, the end token among them."""
    return [label for label in row.labels[1:] if label != IGNORED]


def shown_prompts(test: TestSet[TrainingExample]) -> list[str]:
    """Return what differs between the rows' prompts: the idea, not the template around it."""
    return without_template(
        [test.decode(row.input_ids[: prompt_length(row)], special=True) for row in test.rows]
    )


def without_template(prompts: list[str]) -> list[str]:
    """Return what differs between rendered prompts; a lone one is returned whole."""
    before = commonprefix(prompts)  # noqa: RUF071 - of characters is what is meant
    turned = [prompt[len(before) :][::-1] for prompt in prompts]
    after = commonprefix(turned)[::-1]  # noqa: RUF071
    start = before.rfind("\n") + 1  # a word that all ideas begin with belongs to the ideas
    mark = re.search(r"[<\[\n]", after)
    end = len(after) - mark.start() if mark else 0
    shown = [prompt[start : len(prompt) - end].strip() for prompt in prompts]
    return shown if len(shown) > 1 else prompts
