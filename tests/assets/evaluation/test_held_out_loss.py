import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assets.evaluation.arms import Arm, load_arm
from assets.evaluation.test_set import IGNORED, TestSet, read_test_set
from tests.assets.evaluation.conftest import POSTS, make_writer


def direct(arm: Arm, test: TestSet) -> dict[str, float]:
    """Return the metrics from one plain forward pass a row, without lm-eval."""
    import torch

    nats, hits, tokens, size = 0.0, 0, 0, 0
    for row in test.rows:
        with torch.no_grad():
            logits = arm.model(input_ids=torch.tensor([row.input_ids])).logits[0, :-1].double()
        labels = torch.tensor(row.labels[1:])
        kept = labels != IGNORED
        picked = logits.log_softmax(-1)[kept].gather(1, labels[kept][:, None])
        nats -= float(picked.sum())
        hits += int((logits[kept].argmax(-1) == labels[kept]).sum())
        tokens += int(kept.sum())
        size += len(test.decode(labels[kept].tolist()).encode())
    return {
        "held_out_loss": nats / tokens,
        "token_accuracy": hits / tokens,
        "bits_per_byte": nats / math.log(2) / size,
    }


@pytest.fixture(scope="module")
def test_set(writer: Path) -> TestSet:
    return read_test_set(writer / "examples")


@pytest.mark.parametrize("name", ["base", "tuned"])
@pytest.mark.parametrize("batch_size", [1, 4])
def test_lm_eval_agrees_with_a_plain_forward_pass_at_any_batch_size(
    writer: Path, test_set: TestSet, name: str, batch_size: int
):
    from assets.evaluation.harness import score_completions

    arm = load_arm(name, writer / "model", test_set)
    metrics, rows = score_completions(arm, test_set, batch_size)
    assert metrics == pytest.approx(direct(arm, test_set), abs=1e-4)
    assert [row["id"] for row in rows] == [row.id for row in test_set.rows]


def test_an_adapter_is_scored_with_its_base(tmp_path: Path):
    from assets.evaluation.harness import score_completions

    root = make_writer(tmp_path, [a + b for a, b in POSTS], lora=True)
    test = read_test_set(root / "examples")
    arms = {name: load_arm(name, root / "model", test) for name in ("base", "tuned")}
    found = {name: score_completions(arm, test, 4)[0] for name, arm in arms.items()}
    assert found["tuned"] == pytest.approx(direct(arms["tuned"], test), abs=1e-4)
    assert found["tuned"]["held_out_loss"] != found["base"]["held_out_loss"]


def test_a_champion_with_another_tokenizer_is_measured_on_the_same_text(
    tmp_path: Path, test_set: TestSet
):
    from assets.evaluation.harness import score_completions

    root = make_writer(tmp_path, ["other words than those of the posts"], seed=5)
    champion = load_arm("champion", root / "model", test_set)
    assert not champion.same_tokens
    metrics, rows = score_completions(champion, test_set, 4)
    assert "token_accuracy" not in metrics
    ids, labels = champion.sequence(test_set, test_set.rows[0])
    completion = champion.tokenizer.decode([i for i in labels if i != IGNORED])
    assert completion == test_set.decode(
        [i for i in test_set.rows[0].labels if i != IGNORED], special=True
    )
    total = math.fsum(float(str(row["nats"])) for row in rows)
    tokens = sum(i != IGNORED for row in test_set.rows for i in row.labels)
    assert metrics["held_out_loss"] == pytest.approx(total / tokens)
    assert len(ids) == len(labels)


def test_a_row_that_the_model_cannot_read_whole_is_refused(writer: Path, test_set: TestSet):
    from assets.evaluation.harness import score_completions

    row = test_set.rows[0]
    long: Any = replace(row, input_ids=row.input_ids * 9, labels=row.labels * 9)
    arm = load_arm("base", writer / "model", test_set)
    with pytest.raises(ValueError, match="the model reads 256: set templating's max_length to 256"):
        score_completions(arm, replace(test_set, rows=[long]), 4)


def test_a_row_without_a_completion_is_refused(writer: Path, test_set: TestSet):
    from assets.evaluation.harness import score_completions

    empty = replace(test_set.rows[0], labels=[IGNORED] * len(test_set.rows[0].labels))
    arm = load_arm("base", writer / "model", test_set)
    with pytest.raises(ValueError, match="test row r0 has no trained token"):
        score_completions(arm, replace(test_set, rows=[empty]), 4)
