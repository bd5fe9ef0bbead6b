"""Several adapters on one base: each row is judged, and written for, by its own."""

from typing import Any

import pytest

from assets.evaluation.arms import Arm, load_arm
from assets.evaluation.generation import Decoding, generate
from assets.evaluation.test_set import TestSet, read_test_set
from tests.assets.evaluation.conftest import POSTS, make_writer


@pytest.fixture(scope="module")
def routed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Arm, TestSet[Any]]:
    """Return an arm with a second adapter, `billing`, whose weights are larger."""
    import torch
    from peft import PeftModel

    root = make_writer(tmp_path_factory.mktemp("routed"), [a + b for a, b in POSTS], lora=True)
    test = read_test_set(root / "examples")
    weights = root / "model" / "model"
    model: Any = PeftModel.from_pretrained(load_arm("base", root / "model", test).model, weights)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora" in name:
                parameter *= 3
    model.save_pretrained(str(weights / "billing"))
    return load_arm("tuned", root / "model", test), test


def test_a_row_is_judged_by_the_adapter_of_its_route(routed: tuple[Arm, TestSet[Any]]) -> None:
    from assets.evaluation.inference import foresee

    arm, test = routed
    sequences = [(row.input_ids, row.labels) for row in test.rows[:2]] * 2
    routes = ["", "", "billing", "nobody's"]
    found = [each.nats for each in foresee(arm.model, sequences, 4, routes)]
    assert found[1] == pytest.approx(found[3], abs=1e-4)
    assert abs(found[0] - found[2]) > 1e-3
    assert [e.nats for e in foresee(arm.model, sequences[:2], 4)] == pytest.approx(found[:2])


def test_a_text_is_written_by_the_adapter_of_its_route(routed: tuple[Arm, TestSet[Any]]) -> None:
    arm, test = routed
    prompts, how = [test.rows[0].input_ids[:20]] * 2, Decoding(12, 0, 1, 0)
    mine, theirs = generate(arm, prompts, ["", "billing"], set(), how, 2)
    assert mine != theirs
    assert generate(arm, prompts[:1], ["billing"], set(), how, 1) == [theirs]
