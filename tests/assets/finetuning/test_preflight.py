"""What would waste a training is said before it starts, all of it at once."""

from pathlib import Path
from typing import Any

import pytest

from assets.finetuning import preflight
from assets.finetuning.device import _free_of_groups, device, peak
from assets.finetuning.preflight import Vocabulary
from tests.assets.finetuning import tiny

WORDS = Vocabulary(tokens=320, embeddings=320, positions=8, eos_token_id=2, pad_token_id=0)
SETTINGS: dict[str, Any] = {
    "max_steps": -1,
    "num_train_epochs": 2,
    "per_device_train_batch_size": 4,
    "gradient_accumulation_steps": 2,
    "warmup_steps": 0.1,
    "save_steps": 1,
    "early_stopping_patience": None,
}


def rows(count: int = 16, length: int = 6) -> list[dict[str, Any]]:
    ids = [5] * (length - 1) + [2]
    return [
        {"id": f"r{i}", "input_ids": ids, "labels": [-100, *ids[1:]], "split": "train"}
        for i in range(count)
    ]


def test_a_sound_training_has_no_problem_and_no_hint() -> None:
    found = preflight.check(rows(), rows(2), SETTINGS, WORDS)
    assert (found.problems, found.hints) == ([], [])


def test_all_problems_are_found_at_once() -> None:
    settings = {**SETTINGS, "warmup_steps": 50.0, "early_stopping_patience": 2}
    words = Vocabulary(321, 320, 5, eos_token_id=2, pad_token_id=None)
    assert preflight.check(rows(), [], settings, words).problems == [
        "the tokenizer has 321 tokens, the base model embeds 320: they do not belong together",
        "16 rows are longer than the 5 positions of the base model, r0 first with 6 tokens: set "
        "templating.max_length: 5 or less",
        "the tokenizer has no padding token: name one, its end token will do",
        "warmup_steps is 50 and the training has 4 steps: the learning rate would never be "
        "reached; take fewer, or a share such as 0.1",
        "early_stopping_patience is 2 and the eval split holds no row: nothing says when to stop; "
        "add rows to it, or leave the key out",
    ]


def test_no_rows_make_no_step() -> None:
    found = preflight.check([], [], SETTINGS, WORDS)
    assert found.problems == ["the train split holds no row: no step can be made"]


def test_a_batch_over_the_rows_and_checkpoints_never_reached_are_hints() -> None:
    found = preflight.check(rows(3), [], {**SETTINGS, "save_steps": 100}, WORDS)
    assert found.problems == []
    assert found.hints == [
        "a step takes 8 rows, there are 3: one step an epoch",
        "save_steps is 100 and the training has 2 steps: a killed run starts from its beginning",
    ]


def test_padding_may_be_the_end_token_where_the_end_is_learnt() -> None:
    words = Vocabulary(320, 320, 8, eos_token_id=2, pad_token_id=2)
    assert preflight.padding_problems(rows(), words) == []
    masked = [{**row, "labels": [*row["labels"][:-1], -100]} for row in rows(3)]
    assert preflight.padding_problems(masked, words) == [
        "padding is the end token, and 3 rows mask their own end token as padding, r0 first: the "
        "model would never learn to stop; give the tokenizer a padding token of its own"
    ]


@pytest.mark.parametrize(
    ("count", "changed", "steps"),
    [(16, {}, 4), (17, {}, 6), (17, {"max_steps": 7}, 7), (3, {"num_train_epochs": 0.1}, 1)],
)
def test_steps_are_those_that_transformers_makes(count: int, changed: dict, steps: int) -> None:
    assert preflight.steps_of(count, {**SETTINGS, **changed}) == steps


def test_every_text_of_a_row_counts_for_its_length() -> None:
    preference = {"id": "p", "chosen_input_ids": [1] * 3, "rejected_input_ids": [1] * 9}
    triple = {"id": "t", "input_ids": [[1] * 2, [1] * 4, []]}
    assert preflight.longest([preference]) == 9
    assert preflight.longest([triple]) == 4
    assert [len(ids) for ids in preflight.sequences(triple)] == [2, 4, 0]


def test_a_disk_too_small_for_the_checkpoints_is_refused() -> None:
    assert preflight.disk_problems(10**9, 2 * 10**8, 10**8, 2) == []
    assert preflight.disk_problems(10**8, 2 * 10**8, 10**8, 2) == [
        "the disk of the output folder has 0.10 GB free; the model and 2 checkpoints take 0.80 "
        "GB: free some, or move the artifact store"
    ]


def test_the_tightest_control_group_counts_and_dropped_files_do_not(tmp_path: Path) -> None:
    def group(folder: Path, limit: str, used: int, files: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "memory.max").write_text(limit)
        (folder / "memory.current").write_text(str(used))
        (folder / "memory.stat").write_text(f"anon 1\ninactive_file {files}\n")

    group(tmp_path / "pod", "1000", 400, 100)
    group(tmp_path / "pod" / "container", "max", 400, 100)
    assert _free_of_groups("/pod/container", tmp_path) == [700]
    assert _free_of_groups("/", tmp_path) == []


def test_the_device_has_more_than_this_process_holds() -> None:
    here = device()
    assert 0 < here.process <= here.available
    assert peak() > 0


def test_a_training_that_cannot_work_reads_no_weight(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"warmup_steps": 1000, "early_stopping_patience": 1, "max_steps": 9}
    with pytest.raises(ValueError, match="nothing was trained:\n- warmup_steps is 1000 and"):
        tiny.train(tmp_path, "sft", "full", **settings)
    assert not (tmp_path / "model").exists()
