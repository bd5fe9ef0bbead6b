"""How the rules read a sample: what kind it is, which text a model learns from it, and its words.

{"prompt": "why backfills fail", "completion": "Backfills fail quietly. …"}     kind "pair"
{"subject": "Your parcel", "body": "Dear customer, …", "label": "phishing"}     kind "labelled"
"""

import re
from collections.abc import Iterable
from typing import Literal

from assets.records import Sample

Kind = Literal["pair", "labelled"]
# A character of a script without spaces is a word of its own.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")


def kind_of(samples: Iterable[Sample]) -> Kind | None:
    """Return the kind of a set of samples, None where it is empty.

    One labelled sample is enough: the others then lack their label. Raises ValueError for fields
    that neither a generator nor a classifier can learn from.
    """
    known: set[str] = set()
    for sample in samples:
        known |= sample.fields.keys()
    if {"prompt", "completion"} <= known:
        return "pair"
    if {"body", "label"} <= known:
        return "labelled"
    if not known:
        return None
    raise ValueError(
        f"samples hold the fields {', '.join(sorted(known))}: nothing to learn from. They need "
        "`prompt` and `completion` (name a teacher task), or `body` and `label` (map one to it)"
    )


def learnt_text(sample: Sample) -> str:
    """Return the text that a model learns from: the completion, or subject and body."""
    fields = sample.fields
    if "completion" in fields:
        return fields["completion"]
    return "\n".join(fields[name] for name in ("subject", "body") if fields.get(name))


def words(text: str) -> list[str]:
    """Return the words of a text, without case, marks and spaces; a link gives its parts."""
    return _WORD.findall(text.casefold())
