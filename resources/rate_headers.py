"""What an answer's headers say about limits: how many requests and tokens are left, when to retry.

x-ratelimit-limit-requests: 5000    x-ratelimit-remaining-requests: 4987
x-ratelimit-reset-requests: 156ms   (until all 5000 are there again; also 1s, 6m0s)
retry-after-ms: 20, retry-after: 1, retry-after: Wed, 21 Oct 2026 07:28:00 GMT
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_BACKOFF_SECONDS, MOST_BACKOFF_SECONDS = 0.5, 30.0
MOST_RETRY_AFTER_SECONDS = 600.0
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = r"(\d+(?:\.\d+)?)(ms|[smhd])"

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Said:
    """One limit as the server states it."""

    limit: float
    remaining: float
    reset_seconds: float | None  # until all of it is there again


def limit_of(headers: Headers, name: str) -> Said | None:
    """Return what the server says of its limit of `requests` or `tokens`, None for nothing."""
    try:
        limit = float(headers[f"x-ratelimit-limit-{name}"])
        remaining = float(headers[f"x-ratelimit-remaining-{name}"])
    except (KeyError, ValueError):
        return None
    if limit <= 0:  # some say so for "none"
        return None
    return Said(limit, remaining, seconds_of(headers.get(f"x-ratelimit-reset-{name}", "")))


def seconds_of(duration: str) -> float | None:
    """Return the seconds of `1s`, `6m0s`, `20ms`, `1h2m` or a plain number; None for others."""
    duration = duration.strip()
    if re.fullmatch(r"\d+(\.\d+)?", duration):
        return float(duration)
    if not re.fullmatch(f"({_PART})+", duration):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(_PART, duration))


def retry_after_seconds(headers: Headers) -> float | None:
    """Return how long the server asks to wait: in milliseconds, in seconds, or until a date."""
    seconds = seconds_of(headers.get("retry-after-ms", "") + "ms")
    if seconds is None and (said := headers.get("retry-after")):
        seconds = seconds_of(said)
        seconds = _seconds_until(said) if seconds is None else seconds
    return None if seconds is None else min(seconds, MOST_RETRY_AFTER_SECONDS)


def _seconds_until(date: str) -> float | None:
    try:
        until = parsedate_to_datetime(date)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def backoff_seconds(retry: int) -> float:
    """Return a random wait that doubles from retry to retry; `retry` counts from 0."""
    longest = min(MOST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2**retry)
    return longest * random.uniform(0.5, 1.0)
