r"""One task under several wordings, and a set of system prompts: drawn by the hash of the row.

    wordings: ["{instruction}\n\n{input}", "{input}\n\nTask: {instruction}"]
    system_prompts: ["You are a careful assistant.", "Today is {date}. Answer briefly."]

A model that saw one wording learns that wording (FLAN, Wei et al. 2022). The names in braces are
fields of the sample, or metadata of its document; a row always draws the same ones.
"""

import re
from collections.abc import Mapping, Sequence
from string import Formatter

from assets.records import content_hash
from assets.teacher.protocol import Fields


def worded(
    fields: Fields,
    metadata: Mapping[str, str],
    row_id: str,
    wordings: Sequence[str],
    system_prompts: Sequence[str],
) -> Fields:
    """Return the fields with the prompt in one of the wordings, and with a system prompt.

    Raises ValueError for a name in braces that neither the sample nor its document has.
    """
    known = {**metadata, **fields}
    made = dict(fields)
    if wordings:
        number = _draw(row_id, "wording", len(wordings))
        made |= {"prompt": _filled(wordings[number], known), "wording": str(number)}
    if system_prompts:
        number = _draw(row_id, "system", len(system_prompts))
        made["system"] = _filled(system_prompts[number], known)
    return made


def require_fillable(texts: Sequence[str]) -> None:
    """Raise ValueError for a wording whose braces are not plain names."""
    for text in texts:
        try:
            names = names_in(text)
        except ValueError as error:
            raise ValueError(f"{text!r}: {error}; write {{{{ for a brace") from None
        if bad := [name for name in names if not name.isidentifier()]:
            raise ValueError(f"{text!r}: {{{bad[0]}}} is no name of a field")


def names_in(text: str) -> list[str]:
    """Return the names that stand in braces."""
    return [name for _, name, _, _ in Formatter().parse(text) if name is not None]


def _draw(row_id: str, of: str, count: int) -> int:
    return int(content_hash([row_id, of]), 16) % count


def _filled(text: str, known: Mapping[str, str]) -> str:
    if missing := [name for name in names_in(text) if name not in known]:
        raise ValueError(
            f"{text!r}: no field {missing[0]!r}; there are: {', '.join(sorted(known))}"
        )
    return re.sub(r"\n{3,}", "\n\n", text.format_map(known)).strip()
