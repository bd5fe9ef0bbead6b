"""The dates of exports in one form, so that their order is the order of their letters.

"2026-03-01 08:10:00 UTC", "2026-03-01T08:10:00Z", "3/1/26, 8:10 AM"  ->  "2026-03-01 08:10:00"
"""

from datetime import UTC, datetime

_FORMS = (
    *("%m/%d/%y, %I:%M %p", "%m/%d/%y, %I:%M:%S %p", "%m/%d/%Y, %I:%M %p"),
    *("%b %d, %Y, %I:%M %p", "%m/%d/%y %H:%M", "%a %b %d %H:%M:%S UTC %Y"),
)

_FIRST_YEAR = 1970  # an older date is a program's idea of none


def iso_date(text: str) -> str:
    """Return the date in UTC as `2026-03-01 08:10:00`; empty where it is none."""
    plain = " ".join(text.split())
    for form in ("", *_FORMS):
        try:
            date = datetime.strptime(plain, form) if form else _from_iso(plain)
            if date.tzinfo is not None:
                date = date.astimezone(UTC)
            return f"{date:%Y-%m-%d %H:%M:%S}" if date.year >= _FIRST_YEAR else ""
        except (ValueError, OverflowError):
            continue
    return ""


def _from_iso(text: str) -> datetime:
    return datetime.fromisoformat(text.removesuffix("UTC").strip())
