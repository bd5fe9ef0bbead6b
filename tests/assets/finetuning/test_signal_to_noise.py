import json

import torch

from assets.finetuning.signal_to_noise import (
    law_range,
    signal_to_noise,
    singular_values,
    table_of_layers,
)
from tests.assets.loading.models import llama


def noise(rows: int = 120, columns: int = 200, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed)) * 0.02


def planted(rows: int = 120, columns: int = 200) -> torch.Tensor:
    """Return noise with twelve strong directions in it."""
    return noise(rows, columns) + 40 * noise(rows, 12, 1) @ noise(12, columns, 2)


def test_a_planted_signal_has_a_higher_ratio_than_noise() -> None:
    assert signal_to_noise(planted()) > 3 * signal_to_noise(noise())


def test_the_threshold_separates_the_planted_directions_from_the_noise() -> None:
    values = singular_values(noise(400, 600))
    torch.testing.assert_close(values.float(), torch.linalg.svdvals(noise(400, 600)))
    edge = 0.02 * (600**0.5 + 400**0.5)
    assert abs(float(values[0]) / edge - 1) < 0.02
    lower, upper = torch.quantile(values, torch.tensor([0.25, 0.75]).double())
    estimate = float(upper - lower) / law_range(400 / 600) * (1 + (400 / 600) ** 0.5)
    assert abs(estimate / edge - 1) < 0.03


def test_the_figure_follows_the_formula_on_known_singular_values() -> None:
    # of 1, 2, 3, 4, 10: quartiles 2 and 4; a square of noise spreads over 0.87 of 2
    assert abs(law_range(1.0) - 0.874) < 1e-3
    matrix = torch.diag(torch.tensor([1.0, 2.0, 3.0, 4.0, 10.0]))
    assert abs(signal_to_noise(matrix) - 10 / (1 + 2 + 3 + 4) / 10) < 1e-6


def test_matrices_of_zeros_and_without_noise_have_a_finite_ratio() -> None:
    assert signal_to_noise(torch.zeros(8, 8)) == 0
    assert 1 < signal_to_noise(torch.eye(8)) < float("inf")


def test_of_each_type_the_layers_with_the_planted_signal_are_trained() -> None:
    model = llama(num_hidden_layers=4)
    for layer in model.model.layers:
        layer.mlp.up_proj.weight.data = noise(160, 96)  # type: ignore[union-attr]
    model.model.layers[2].mlp.up_proj.weight.data = planted(160, 96)  # type: ignore[union-attr]
    table = table_of_layers(model, top_percent=25)
    assert len(table) == 4 * 7
    trained = [row["layer"] for row in table if row["trained"]]
    assert len(trained) == 7
    assert "model.layers.2.mlp.up_proj" in trained
    assert json.loads(json.dumps(table)) == table


def test_at_least_one_layer_of_each_type_is_trained() -> None:
    assert sum(row["trained"] for row in table_of_layers(llama(), top_percent=1)) == 7
