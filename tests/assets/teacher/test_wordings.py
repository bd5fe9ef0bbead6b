import pytest

from assets.teacher.config import TeacherConfig
from assets.teacher.wordings import worded

WORDINGS = ("{instruction}\n\n{input}", "{input}\n\nNow: {instruction}", "Please: {instruction}")
FIELDS = {"prompt": "p", "completion": "c", "instruction": "Count the rows", "input": ""}


def test_a_row_always_draws_the_same_wording_and_the_rows_draw_all_of_them() -> None:
    drawn = [worded(FIELDS, {}, f"row{n}", WORDINGS, ()) for n in range(60)]
    assert drawn == [worded(FIELDS, {}, f"row{n}", WORDINGS, ()) for n in range(60)]
    counts = [sum(d["wording"] == str(w) for d in drawn) for w in range(len(WORDINGS))]
    assert min(counts) > 8


def test_an_empty_field_leaves_no_gap_and_the_completion_stays() -> None:
    made = worded(FIELDS, {}, "row", WORDINGS[:1], ())
    assert made["prompt"] == "Count the rows"
    assert made["completion"] == "c"


def test_a_system_prompt_takes_date_and_tools_from_the_documents_metadata() -> None:
    about = {"date": "2026-03-01", "tools": "search, sql"}
    made = worded(FIELDS, about, "row", (), ("Today is {date}. You may use: {tools}.",))
    assert made["system"] == "Today is 2026-03-01. You may use: search, sql."
    assert made["prompt"] == "p"


def test_braces_in_a_document_are_text_and_no_field() -> None:
    made = worded({**FIELDS, "input": "{secret} {0}"}, {}, "row", ("{input}",), ())
    assert made["prompt"] == "{secret} {0}"


def test_a_field_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="no field 'topic'; there are: completion, input"):
        worded(FIELDS, {}, "row", ("About {topic}",), ())


@pytest.mark.parametrize("wording", ["{0}", "{a.b}", "{a", "{}"])
def test_a_wording_with_odd_braces_is_refused_when_the_pipeline_loads(wording: str) -> None:
    with pytest.raises(ValueError, match="write {{ for a brace|is no name of a field"):
        TeacherConfig.model_validate({"wordings": [wording]})
