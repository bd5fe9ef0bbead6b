"""The teacher's section of the YAML."""

import pytest
from pydantic import ValidationError

from assets.teacher.config import TeacherConfig


def test_an_empty_section_passes_documents_through() -> None:
    assert TeacherConfig().task is None


def test_an_unknown_task_lists_the_tasks_that_exist() -> None:
    with pytest.raises(ValidationError, match=r"unknown task 'idea'; there are: .*idea_for_post"):
        TeacherConfig(task="idea")


def test_a_misspelt_key_lists_the_allowed_ones() -> None:
    with pytest.raises(ValidationError, match=r"unknown key 'max_cost'; allowed: .*max_cost_usd"):
        TeacherConfig.model_validate({"task": "idea_for_post", "max_cost": 2})


def test_a_model_without_a_task_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"model 'gpt-4o-mini' has no task"):
        TeacherConfig(model="gpt-4o-mini")
