"""What keeps the house standing: imports in one direction, light loading, one shape a room."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from pipelines.environments import ROOT

SOURCE = ("assets", "pipelines", "resources")
ROOMS = sorted(path.parent for path in (ROOT / "assets").glob("*/asset.py"))
HEAVY = (
    *("torch", "transformers", "trl", "peft", "datasets", "mlflow", "great_expectations"),
    *("lm_eval", "openai", "pandas", "sklearn", "matplotlib", "rensa"),
)
LOAD = """
import json, sys, time
from pipelines.definitions import defs
groups = {spec.group_name for spec in defs().resolve_all_asset_specs()}
loaded = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps({"seconds": time.process_time(), "groups": sorted(groups), "loaded": loaded}))
"""


def modules(*packages: str) -> Iterator[Path]:
    for package in packages:
        yield from sorted((ROOT / package).rglob("*.py"))


@cache
def imported(path: Path) -> frozenset[str]:
    """Return the dotted names that a file imports, inside functions too, but not for types only."""
    found = set()
    for node in _executed(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _executed(child)


def imports_of(path: Path, package: str) -> list[str]:
    return [name for name in imported(path) if name.partition(".")[0] == package]


def test_the_contracts_of_import_linter_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == EXIT_STATUS_SUCCESS


def test_there_are_seven_rooms_each_with_its_config() -> None:
    assert [room.name for room in ROOMS] == [
        *("evaluation", "extraction", "finetuning", "registration"),
        *("teacher", "templating", "validation"),
    ]
    assert all((room / "config.py").is_file() for room in ROOMS)


def test_in_the_rooms_only_asset_files_know_dagster_and_the_doors() -> None:
    others = [path for path in modules("assets") if path.name != "asset.py"]
    assert len(others) > 50
    for package in ("dagster", "resources"):
        assert {str(path): found for path in others if (found := imports_of(path, package))} == {}


def test_dagster_pipes_is_known_to_the_inside_of_jobs_and_to_who_reads_them_alone() -> None:
    assert [p for p in modules(*SOURCE) if imports_of(p, "dagster_pipes")] == [
        ROOT / "assets" / "jobs.py",
        ROOT / "resources" / "pipes_messages.py",
    ]


def test_a_line_that_breaks_the_rule_would_be_found(tmp_path: Path) -> None:
    hidden = tmp_path / "render.py"
    hidden.write_text("def render():\n    from dagster import asset\n", encoding="utf-8")
    assert imports_of(hidden, "dagster") == ["dagster.asset"]
    typed = tmp_path / "typed.py"
    typed.write_text("if TYPE_CHECKING:\n    import dagster\n", encoding="utf-8")
    assert imports_of(typed, "dagster") == []


def test_every_package_has_an_empty_init_file() -> None:
    found = [path for path in modules(*SOURCE) if path.name == "__init__.py"]
    assert {path.parent for path in found} == {path.parent for path in modules(*SOURCE)}
    assert [path for path in found if path.read_bytes()] == []


def test_no_module_is_named_for_nothing() -> None:
    nothing = {"utils", "helpers", "common", "base", "misc", "manager"}
    assert [path for path in modules(*SOURCE) if path.stem in nothing] == []


@cache
def loaded_definitions() -> dict:
    """Return what a fresh interpreter without any secret has loaded, and its CPU seconds."""
    secret = ("KEY", "TOKEN", "SECRET", "PASSWORD", "OPENAI", "MLFLOW", "TUNELINE")
    environment = {k: v for k, v in os.environ.items() if not any(s in k for s in secret)}
    done = subprocess.run(
        [sys.executable, "-c", LOAD], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_definitions_load_without_a_secret_and_without_a_heavy_library() -> None:
    loaded = loaded_definitions()
    assert {"linkedin_writer", "phishing_classifier"} <= set(loaded["groups"])
    assert set(HEAVY) & set(loaded["loaded"]) == set()


def test_the_definitions_load_in_under_four_seconds() -> None:
    assert loaded_definitions()["seconds"] < 4
