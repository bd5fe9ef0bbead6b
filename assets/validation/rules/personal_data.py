"""Personal data that extraction left, or that a teacher made up.

Pseudonyms (`person-3fa2c1@example.com`, `<phone-1a2b3c>`) are not personal data, and what stands in
a link is part of the link.
"""

from collections.abc import Sequence
from typing import Literal

from assets import discovery
from assets.personal_data.detect import findings
from assets.records import Sample

VERSION = "3"
_FIELDS = (
    *("prompt", "completion", "history", "system", "subject", "body", "text"),
    *("chosen", "rejected", "anchor", "positive", "negative"),
)


class Options(discovery.Options):
    """Looked for in the text fields of a sample."""

    look_for: tuple[Literal["email", "phone", "card", "iban"], ...] = (
        *("email", "phone", "card", "iban"),
    )
    fields: tuple[str, ...] = _FIELDS  # of a sample; the others are not learnt from


def reject(samples: Sequence[Sample], options: Options) -> dict[str, str]:
    """Return the samples that hold personal data; the reason names its kind, never its value."""
    found = {sample.id: _problem(sample, options) for sample in samples}
    return {id: reason for id, reason in found.items() if reason}


def _problem(sample: Sample, options: Options) -> str:
    for name in options.fields:
        if kinds := findings(sample.fields.get(name, ""), options.look_for):
            return f"{kinds[0]} in {name}"
    return ""
