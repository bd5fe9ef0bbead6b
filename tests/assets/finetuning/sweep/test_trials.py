import pytest

from assets.finetuning.sweep.trials import best, eval_loss, trials
from tests.assets.finetuning import tiny


def manifest(losses: list[float], patience: int | None = None) -> dict:
    history = [{"step": step, "eval_loss": loss} for step, loss in enumerate(losses)]
    return {"history": history, "settings": {"early_stopping_patience": patience}}


def test_a_sweep_is_one_trial_for_each_combination() -> None:
    config = tiny.config("sft", "lora", sweep={"learning_rate": [0.1, 0.2], "lora_r": [2, 4]})
    found = trials(config)
    assert [trial.name for trial in found] == ["trial_1", "trial_2", "trial_3", "trial_4"]
    assert found[1].described() == "learning_rate 0.1, lora_r 4"
    assert found[1].config.learning_rate == 0.1
    assert found[1].config.options("method").lora_r == 4
    assert found[1].config.sweep is None
    assert trials(tiny.config("sft", "lora")) == []


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ({"lerning_rate": [0.1, 0.2]}, "unknown key 'lerning_rate'; allowed: .*learning_rate"),
        ({"learning_rate": [0.1, -1]}, "greater than 0"),
        ({"learning_rate": [0.1]}, "sweep makes 1 trials; from 2 to 24 are possible"),
        ({"seed": list(range(30))}, "sweep makes 30 trials"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused_at_load(sweep: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        trials(tiny.config("sft", "lora", sweep=sweep))


def test_the_best_has_the_lowest_eval_loss_of_the_weights_that_were_kept() -> None:
    assert best([manifest([3, 2]), manifest([3, 1.5]), manifest([1, 1.5])]) == 1
    assert eval_loss(manifest([1, 1.5], patience=2)) == 1


def test_trials_without_an_eval_loss_cannot_be_told_apart() -> None:
    with pytest.raises(ValueError, match="read no eval loss, .* raise extraction.split.eval"):
        best([manifest([])])
