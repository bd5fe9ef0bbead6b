from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from resources.rate_headers import (
    FIRST_BACKOFF_SECONDS,
    MOST_BACKOFF_SECONDS,
    MOST_RETRY_AFTER_SECONDS,
    Said,
    backoff_seconds,
    limit_of,
    retry_after_seconds,
    seconds_of,
)


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        *[("1s", 1.0), ("6m0s", 360.0), ("20ms", 0.02), ("1h2m3.5s", 3723.5), ("1m30s5ms", 90.005)],
        *[("7", 7.0), ("0.5", 0.5), (" 2s ", 2.0)],
        *[("", None), ("soon", None), ("s", None), ("1s soon", None), ("-1s", None), ("ms", None)],
    ],
)
def test_durations_are_read_as_servers_write_them(duration: str, seconds: float | None) -> None:
    assert seconds_of(duration) == pytest.approx(seconds)


def test_retry_after_is_milliseconds_seconds_or_a_date() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert retry_after_seconds({"retry-after-ms": "250", "retry-after": "1"}) == 0.25
    assert retry_after_seconds({"retry-after": "2"}) == 2.0
    assert retry_after_seconds({"retry-after": soon}) == pytest.approx(30, abs=2)
    assert retry_after_seconds({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0
    assert retry_after_seconds({"retry-after": "soon"}) is None
    assert retry_after_seconds({}) is None


def test_no_server_makes_us_wait_for_a_day() -> None:
    assert retry_after_seconds({"retry-after": "86400"}) == MOST_RETRY_AFTER_SECONDS


def test_a_limit_is_read_whole_or_not_at_all() -> None:
    said = {
        "x-ratelimit-limit-tokens": "200000",
        "x-ratelimit-remaining-tokens": "198312",
        "x-ratelimit-reset-tokens": "6m0s",
    }
    assert limit_of(said, "tokens") == Said(200_000, 198_312, 360.0)
    assert limit_of(said, "requests") is None
    assert limit_of({**said, "x-ratelimit-reset-tokens": "later"}, "tokens") == Said(
        200_000, 198_312, None
    )
    assert limit_of({**said, "x-ratelimit-limit-tokens": "0"}, "tokens") is None
    assert limit_of({**said, "x-ratelimit-remaining-tokens": "many"}, "tokens") is None


def test_a_wait_doubles_up_to_a_limit_and_is_never_the_same() -> None:
    for retry in range(12):
        longest = min(MOST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2**retry)
        waits = {backoff_seconds(retry) for _ in range(50)}
        assert len(waits) > 1
        assert all(longest / 2 <= wait <= longest for wait in waits)
