"""Two adapters are trained one by one, put on one base, and each answers its own rows."""

from pathlib import Path
from typing import Any

import pytest
import torch

from assets.finetuning.adapters.run import work
from assets.jobs import published, write_json
from assets.loading.models import adapter_routes, adapters_for, load_tuned
from tests.assets.finetuning import tiny

IDS = torch.tensor([[5, 6, 7, 8, 9, 10]])


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("adapters")
    settings: dict[str, Any] = {"max_steps": 4, "lora_r": 4}
    return {
        "billing": tiny.train(root, "sft", "lora", "billing", seed=1, **settings)[0],
        "technical": tiny.train(root, "sft", "lora", "technical", seed=2, **settings)[0],
    }


def combine(adapters: dict[str, Path], folder: Path, weights: dict[str, float]) -> dict[str, Any]:
    job = {
        "run_key": "r",
        "code_version": "c",
        "adapters_by": "queue",
        "adapters": {n: {"folder": str(p), "weight": weights[n]} for n, p in adapters.items()},
    }
    with published(folder) as aside:
        manifest = work(job, aside, lambda line: None)
        write_json(aside / "manifest.json", manifest)
    return manifest


def logits(model: Any, ids: torch.Tensor = IDS, **arguments: Any) -> torch.Tensor:
    with torch.inference_mode():
        return model(input_ids=ids, **arguments).logits


@pytest.mark.slow
def test_each_row_of_a_batch_is_answered_by_the_adapter_of_its_route(
    adapters: dict[str, Path], tmp_path: Path
) -> None:
    manifest = combine(adapters, tmp_path / "both", {"billing": 1, "technical": 1})
    model, _ = load_tuned(tmp_path / "both")
    assert adapter_routes(tmp_path / "both" / "model") == ["billing", "technical"]
    alone = {name: logits(load_tuned(folder)[0]) for name, folder in adapters.items()}
    average = logits(model)
    routes = ["technical", "billing", "unheard of"]
    routed = logits(model, IDS.repeat(3, 1), **adapters_for(model, routes))
    expected = torch.cat([alone["technical"], alone["billing"], average])
    torch.testing.assert_close(routed, expected, rtol=0, atol=1e-5)
    assert not torch.allclose(alone["technical"], alone["billing"], atol=1e-3)
    assert set(manifest["adapters"]) == {"billing", "technical"}


@pytest.mark.slow
def test_the_average_moves_with_the_weights(adapters: dict[str, Path], tmp_path: Path) -> None:
    combine(adapters, tmp_path / "one", {"billing": 1, "technical": 0})
    alone = logits(load_tuned(adapters["billing"])[0])
    averaged = logits(load_tuned(tmp_path / "one")[0])
    torch.testing.assert_close(averaged, alone, rtol=0, atol=1e-5)


def test_a_model_without_several_adapters_needs_no_argument(tmp_path: Path) -> None:
    assert adapters_for(object(), ["billing"]) == {}
    assert adapter_routes(tmp_path) == []
