"""How the rules read a sample: what kind it is, and which texts a model learns from it.

{"prompt": "why backfills fail", "completion": "Backfills fail quietly. …"}     kind "pair"
{"subject": "Your parcel", "body": "Dear customer, …", "label": "phishing"}     kind "labelled"
{"prompt": "A title for: lineage", "chosen": "Follow …", "rejected": "On …"}    kind "preference"
{"anchor": "find who reads a table", "positive": "Lineage tells …"}             kind "retrieval"
{"text": "Backfills fail quietly. …"}                                           kind "plain"
"""

from collections.abc import Iterable
from typing import Literal

from assets.records import Sample

Kind = Literal["pair", "labelled", "preference", "retrieval", "plain"]
# The fields that make a sample one of a kind; the first that are all there decide.
NEEDED: dict[Kind, frozenset[str]] = {
    "preference": frozenset({"prompt", "chosen", "rejected"}),
    "pair": frozenset({"prompt", "completion"}),
    "retrieval": frozenset({"anchor", "positive"}),
    "labelled": frozenset({"body", "label"}),
    "plain": frozenset({"text"}),
}


def kind_of(samples: Iterable[Sample]) -> Kind | None:
    """Return the kind of a set of samples, None where it is empty.

    One labelled sample is enough: the others then lack their label. Raises ValueError for fields
    that no model can learn from.
    """
    known: set[str] = set()
    for sample in samples:
        known |= sample.fields.keys()
    if not known:
        return None
    for kind, needed in NEEDED.items():
        if needed <= known:
            return kind
    raise ValueError(
        f"samples hold the fields {', '.join(sorted(known))}: nothing to learn from. They need "
        "`prompt` and `completion`, `prompt`, `chosen` and `rejected`, or `anchor` and `positive` "
        "(name a teacher task), `body` and `label` (map one to it), or `text` alone"
    )


def learnt_texts(sample: Sample) -> dict[str, str]:
    """Return the texts that a model learns from, by what they are; subject and body are one."""
    fields = sample.fields
    if "completion" in fields:
        return {"completion": fields["completion"]}
    if "chosen" in fields or "anchor" in fields:
        names = ("chosen", "rejected", "anchor", "positive", "negative")
        return {name: fields[name] for name in names if fields.get(name) is not None}
    if "text" in fields and "body" not in fields:
        return {"text": fields["text"]}
    return {"body": "\n".join(fields[name] for name in ("subject", "body") if fields.get(name))}
