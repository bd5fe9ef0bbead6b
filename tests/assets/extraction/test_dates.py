import pytest

from assets.extraction.dates import iso_date


@pytest.mark.parametrize(
    "text",
    [
        *("2026-03-01 08:10:00 UTC", "2026-03-01T08:10:00Z", "2026-03-01T10:10:00+02:00"),
        *("3/1/26, 8:10 AM", "03/01/2026, 8:10 am", " 2026-03-01  08:10:00 "),
        "Sun Mar 01 08:10:00 UTC 2026",
    ],
)
def test_dates_of_all_exports_get_one_form(text: str) -> None:
    assert iso_date(text) == "2026-03-01 08:10:00"


@pytest.mark.parametrize("text", ["", "someday", "0001-01-01", "2026-13-01", "9" * 400, "12"])
def test_what_is_no_date_is_empty(text: str) -> None:
    assert iso_date(text) == ""
