"""The worked examples of the tasks that generate, through the dialogue that a real run holds."""

import pytest

from assets.discovery import find
from assets.teacher.spotlight import RULE
from tests.assets.teacher.tasks.talking import with_stand_ins

NAMES = (
    *("idea_for_post", "mask_personal_data", "preference_pairs"),
    *("rewrite_answer", "self_instruct", "verified_answer"),
)


@pytest.mark.parametrize("name", NAMES)
def test_the_worked_example_gives_the_samples_that_it_names(name: str) -> None:
    task = find("assets.teacher.tasks", name)
    options = getattr(task, "Options")()  # noqa: B009
    made, asked = with_stand_ins(task, task.EXAMPLE.document, options)
    assert made == task.EXAMPLE.samples
    assert all(query.messages[0]["content"].endswith(RULE) for query in asked)
