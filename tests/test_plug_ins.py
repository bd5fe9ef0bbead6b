"""What every file in a folder of plug-ins keeps to; a new file is walked without an edit here."""

import inspect
from types import ModuleType
from typing import get_args

import pytest
from pydantic import BaseModel

from assets.discovery import Options, find, names, options_of
from assets.evaluation.config import BENCHMARKS
from assets.evaluation.protocol import Benchmark
from assets.finetuning.config import FinetuningConfig
from assets.finetuning.objectives.grpo import REWARDS
from assets.finetuning.pairs import METHODS, OBJECTIVES, is_hosted, refusal, table
from assets.loading.models import ModelKind
from assets.teacher.protocol import Example, Task
from assets.templating.config import TEMPLATES, template_names
from assets.templating.kinds import NEEDED
from assets.validation.config import PACKAGE as RULES
from pipelines.environments import ROOT

SOURCES = "assets.extraction.sources"
TASKS = "assets.teacher.tasks"
VERIFIERS = "assets.teacher.verifiers"
FOLDERS = (SOURCES, TASKS, VERIFIERS, RULES, OBJECTIVES, METHODS, REWARDS, BENCHMARKS)
OF_A_TASK = {
    "messages": ["document", "options"],
    "parse": ["document", "answer", "options"],
    "stages": ["document", "safe", "options"],
    "offline": ["documents", "options"],
    "finish": ["checked", "options"],
    "faults": ["checked", "options"],
}
PLUG_INS = [(package, name) for package in FOLDERS for name in names(package)]


def parameters(module: ModuleType, function: str) -> list[str]:
    return list(inspect.signature(getattr(module, function)).parameters)


def protocol(module: ModuleType, wanted: type) -> None:
    """Assert that a module offers all that a Protocol names, with the Protocol's parameters."""
    for name in wanted.__annotations__:
        assert hasattr(module, name), f"{module.__name__} has no {name}"
    for name, method in inspect.getmembers(wanted, inspect.isfunction):
        if not name.startswith("_"):
            asked = list(inspect.signature(method).parameters)[1:]
            assert parameters(module, name) == asked, f"{module.__name__}.{name}"


@pytest.mark.parametrize("package", FOLDERS)
def test_a_folder_of_plug_ins_holds_plug_ins_and_nothing_beside_them(package: str) -> None:
    files = {p.stem for p in (ROOT / package.replace(".", "/")).rglob("*.py")} - {"__init__"}
    assert files
    assert set(names(package)) == files


@pytest.mark.parametrize(("package", "name"), PLUG_INS)
def test_a_plug_ins_options_are_flat_documented_and_refuse_unknown_keys(
    package: str, name: str
) -> None:
    options = options_of(package, name)
    assert issubclass(options, Options)
    assert options.model_config.get("extra") == "forbid"
    nested = [f for f in options.model_fields.values() if _is_model(f.annotation)]
    assert nested == []
    assert (find(package, name).__doc__ or "").strip()


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


@pytest.mark.parametrize("name", names(SOURCES))
def test_a_source_reads_a_path_row_by_row_with_its_options(name: str) -> None:
    source = find(SOURCES, name)
    assert parameters(source, "read") == ["path", "options"]
    assert inspect.isgeneratorfunction(source.read)
    assert options_of(SOURCES, name) is not Options


@pytest.mark.parametrize("name", names(TASKS))
def test_a_task_keeps_the_protocol(name: str) -> None:
    task = find(TASKS, name)
    protocol(task, Task)
    assert isinstance(task.EXAMPLE, Example)
    assert task.VERSION
    offered = {function for function in OF_A_TASK if hasattr(task, function)}
    assert offered & {"messages", "stages", "offline"}
    assert ("messages" in offered) == ("parse" in offered)
    for function in offered:
        assert parameters(task, function) == OF_A_TASK[function], function


@pytest.mark.parametrize("name", names(RULES))
def test_a_rule_rejects_samples_with_its_options(name: str) -> None:
    rule = find(RULES, name)
    assert parameters(rule, "reject") == ["samples", "options"]
    assert rule.VERSION


@pytest.mark.parametrize("name", names(OBJECTIVES))
def test_an_objective_says_what_it_reads_and_loads_and_has_a_method(name: str) -> None:
    objective = find(OBJECTIVES, name)
    assert objective.EXAMPLES in NEEDED
    assert objective.MODEL in get_args(ModelKind)
    assert objective.VERSION
    assert parameters(objective, "trainer") == ["training"]
    assert [m for m in names(METHODS) if refusal(name, m) is None and not is_hosted(m)]
    keys = set(FinetuningConfig.model_fields).union(
        *(options_of(METHODS, method).model_fields for method in names(METHODS))
    )
    assert set(getattr(objective, "IGNORES", {})) <= keys


@pytest.mark.parametrize("name", names(METHODS))
def test_a_method_trains_something_and_says_why_it_does_not_train_the_rest(name: str) -> None:
    method = find(METHODS, name)
    assert method.VERSION
    assert parameters(method, "refusal") == ["objective", "model_kind"]
    if is_hosted(name):  # no model is here that could be changed
        assert not hasattr(method, "apply")
        assert parameters(method, "require") == ["objective", "base_model", "named"]
    else:
        assert parameters(method, "apply") == ["model", "options", "model_kind"]
    reasons = [reason for (_, m), reason in table().items() if m == name]
    assert None in reasons
    assert all(reason is None or len(reason) > 20 for reason in reasons)


@pytest.mark.parametrize("name", names(REWARDS))
def test_a_reward_scores_an_answer_beside_the_expected_one(name: str) -> None:
    assert find(REWARDS, name).VERSION
    assert parameters(find(REWARDS, name), "reward") == ["answer", "expected", "options"]
    others = [options_of(REWARDS, n).model_fields for n in names(REWARDS) if n != name]
    assert not set(options_of(REWARDS, name).model_fields) & set().union(*others)


@pytest.mark.parametrize("name", names(BENCHMARKS))
def test_a_benchmark_keeps_the_protocol(name: str) -> None:
    module = find(BENCHMARKS, name)
    protocol(module, Benchmark)
    assert [o for o in names(OBJECTIVES) if find(OBJECTIVES, o).MODEL in module.MODELS]


def test_a_plug_in_that_lacks_a_part_of_its_protocol_is_named() -> None:
    with pytest.raises(AssertionError, match=r"sources\.table has no VERSION"):
        protocol(find(SOURCES, "table"), Task)


def test_every_chat_template_marks_what_is_learnt() -> None:
    assert template_names() == sorted(p.stem for p in TEMPLATES.rglob("*") if p.is_file())
    for name in template_names():
        text = (TEMPLATES / f"{name}.jinja").read_text(encoding="utf-8")
        assert text.count("{% generation %}") == text.count("{% endgeneration %}") == 1, name
