"""A label that is missing, or that nobody allowed: a typo would become a class of its own."""

from collections.abc import Sequence

from assets import discovery
from assets.records import Sample

VERSION = "1"


class Options(discovery.Options):
    """Which labels there may be."""

    labels: tuple[str, ...] | None = None  # None: those of the section, and without them any


def reject(samples: Sequence[Sample], options: Options) -> dict[str, str]:
    """Return the samples without a label, or with one outside the set."""
    found = {s.id: _problem(s.fields.get("label", ""), options.labels) for s in samples}
    return {id: reason for id, reason in found.items() if reason}


def _problem(label: str, allowed: tuple[str, ...] | None) -> str:
    if not label:
        return "no label"
    if allowed and label not in allowed:
        return f"label {label!r} is none of: {', '.join(allowed)}"
    return ""
