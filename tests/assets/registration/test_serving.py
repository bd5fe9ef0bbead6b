"""Registered models of every kind, loaded where nothing of this project is."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assets.loading import answers as answers_of
from assets.questions import question_of
from assets.registration.card import _use
from assets.registration.packaging import SERVING_CODE, loading_code, package
from assets.registration.purpose import purpose_of
from assets.registration.signature import signature_of
from tests.assets.evaluation.judged import OBJECTIVES, make_judged
from tests.assets.registration.models import write_writer

LOAD = """
import json, sys
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
import mlflow
from pathlib import Path
answers = {}
for name, (folder, asked) in json.loads(sys.argv[1]).items():
    served = mlflow.pyfunc.load_model(folder)
    answers[name] = json.loads(served.predict(asked).to_json(orient="records"))
import assets
answers["loaded_from"] = assets.__path__[0]
answers["others"] = sorted(n for n in sys.modules if n.startswith(("assets.", "resources")))
print("ANSWERS" + json.dumps(answers))
"""
_SOME = re.compile(r"\b(peft|sentence_transformers|bitsandbytes)\b")
LONG = "Maria " * 200  # of more tokens than the model reads at once
ASKED: dict[str, Any] = {
    "causal_lm": ["slow backfills"],
    "dpo": ["slow backfills"],
    "reward": [{"prompt": "slow backfills", "completion": "trust owners"}],
    "rerank": [{"query": "slow", "document": "slow backfills"}],
    "classify_tokens": ["Ring Maria", LONG],
    "adapter": ["Ring Maria"],
    "embed": ["slow backfills", "trust owners"],
    "lora": ["slow backfills"],
    "nf4": ["Ring Maria"],
}


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: make_judged(tmp_path_factory.mktemp(name), name) for name in OBJECTIVES}


@pytest.fixture(scope="module")
def answers(roots: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("served")
    models = {name: root / "model" for name, root in roots.items()}
    models |= {name: folder / f"written-{name}" for name in ("adapter", "lora", "nf4")}
    write_writer(models["lora"])
    write_others(roots["classify_tokens"] / "model", models["nf4"], models["adapter"])
    asked = {name: (save(models[name], folder / name), ASKED[name]) for name in ASKED}
    return elsewhere(asked, folder)


def write_others(model: Path, nf4: Path, adapter: Path) -> None:
    """Write the model quantised, and its base with bottleneck adapters."""
    from assets.loading import bottleneck, quantised
    from assets.loading.models import load_base, load_tuned
    from assets.loading.saving import save_model

    whole, tokenizer = load_tuned(model)
    base = load_base(json.loads((model / "manifest.json").read_text(encoding="utf-8")))
    bottleneck.insert(base, 4, "gelu")
    changed = {nf4: quantised.quantise(whole, "nf4"), adapter: base}
    for folder, made in changed.items():
        save_model(made, "tokens", folder / "model")
        tokenizer.save_pretrained(folder / "model")
        shutil.copy(model / "manifest.json", folder)
        shutil.copy(model / "model" / "template.json", folder / "model")


def save(model: Path, folder: Path) -> str:
    """Save the model as the registry does; return where."""
    import mlflow

    served = package(model)
    code = loading_code(folder.with_name(f"{folder.name}-code"))
    mlflow.pyfunc.save_model(
        str(folder),
        python_model=str(SERVING_CODE),
        code_paths=[str(code)],
        artifacts={key: str(path) for key, path in served.artifacts.items()},
        signature=served.signature,
        pip_requirements=served.pip_requirements,
    )
    return str(folder)


def elsewhere(asked: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return what the models answer in an isolated process that has another folder to work in."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", LOAD, json.dumps(asked)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert "ANSWERS" in done.stdout, done.stderr
    return json.loads(done.stdout.partition("ANSWERS")[2])


@pytest.mark.slow
def test_every_kind_of_model_answers_in_a_process_without_this_project(
    answers: dict[str, Any], roots: dict[str, Path]
) -> None:
    assert "served" in answers["loaded_from"]
    assert {name.split(".")[1] for name in answers["others"]} == {"loading"}
    for writer in ("causal_lm", "dpo", "lora"):
        assert isinstance(answers[writer][0]["text"], str)
    assert len(answers["embed"][0]["embedding"]) == 32
    assert sum(x * x for x in answers["embed"][1]["embedding"]) == pytest.approx(1, abs=1e-4)


@pytest.mark.slow
def test_adapters_and_quantised_models_answer_too(answers: dict[str, Any]) -> None:
    assert set(answers["nf4"][0]) == set(answers["adapter"][0]) == {"entities", "masked"}


@pytest.mark.slow
def test_a_score_is_the_one_that_evaluation_measures(
    answers: dict[str, Any], roots: dict[str, Path]
) -> None:
    from assets.evaluation.arms import load_arm
    from assets.evaluation.inference import scores
    from assets.evaluation.test_set import read_test_set
    from assets.loading.text_pairs import encode_pair

    test = read_test_set(roots["rerank"] / "examples")
    arm = load_arm("tuned", roots["rerank"] / "model", test)
    pair = encode_pair("slow", "slow backfills", arm.tokenizer, arm.model, test.max_length)
    assert answers["rerank"][0]["score"] == pytest.approx(scores(arm, [pair], 1)[0], abs=1e-5)


@pytest.mark.slow
def test_a_long_text_is_masked_to_its_end(answers: dict[str, Any]) -> None:
    short, long = answers["classify_tokens"]
    assert set(short) == {"entities", "masked"}
    last = max(entity["end"] for entity in long["entities"])
    assert last > len(LONG) * 0.9
    for entity in long["entities"]:
        assert LONG[entity["start"] : entity["end"]].strip()


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_what_is_needed_is_named_and_nothing_else(roots: dict[str, Path], objective: str) -> None:
    served = package(roots[objective] / "model")
    names = {line.partition("==")[0] for line in served.pip_requirements}
    extra = {"sentence-transformers"} if objective == "embed" else set()
    assert names == {"mlflow", "pandas", "torch", "transformers"} | extra
    assert set(served.artifacts) == {"model", "manifest"}
    example = purpose_of(
        question_of(json.loads((roots[objective] / "model" / "manifest.json").read_text()))
    ).example
    assert example in _use("tiny", example)


def test_a_pair_without_one_of_its_texts_is_refused() -> None:
    import pandas as pd

    from assets.registration.serving import _pairs, _texts

    with pytest.raises(ValueError, match="row 1 needs a text in both 'query' and 'document'"):
        _pairs(pd.DataFrame([{"query": "a", "document": "b"}, {"query": "a"}]), "query", "document")
    with pytest.raises(ValueError, match="the column of texts must be named 'text', not 'id'"):
        _texts(pd.DataFrame({"id": ["7"]}), "text")


def test_a_model_of_several_adapters_asks_for_a_route() -> None:
    manifest = {"labels": None, "adapters": {"billing": "03cd"}}
    assert signature_of(manifest, {}).inputs.input_names() == ["prompt", "route"]
    assert len(signature_of({"labels": None}, {}).inputs.inputs) == 1


def test_the_code_that_goes_along_is_of_this_project_nothing_but_loading(tmp_path: Path) -> None:
    folder = loading_code(tmp_path)
    assert sorted(p.name for p in folder.iterdir()) == ["__init__.py", "loading"]
    for path in (folder / "loading").glob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if "import" in line.split() and "assets" in line:
                assert "assets.loading" in line, f"{path.name}: {line}"


def test_what_only_some_models_need_is_imported_for_them_alone() -> None:
    for path in Path(answers_of.__file__).parent.glob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        heavy = [n for n in lines if n.startswith(("import ", "from ")) and _SOME.search(n)]
        assert not heavy or path.name == "quantised_weight.py", heavy
        if path.stem != "saving":
            assert "from assets.loading import bottleneck, quantised" not in lines
