r"""A short idea for each post, so that a model can learn to write the post from the idea.

    post  "Our backfills took nine hours.\n\nThen we turned on partition pruning …"
    idea  "nine-hour backfills; partition pruning; cheaper reruns"

An idea that holds the post's own first line would hand the model its answer, so it is refused,
whoever made it. Without a teacher the idea is the post's key phrases, less those that quote it.
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence

from assets.discovery import Options
from assets.records import Document
from assets.teacher.key_phrases import Phrase, key_phrases
from assets.teacher.protocol import (
    Checked,
    Example,
    Fields,
    Message,
    Refused,
    Schema,
    one_by_one,
)
from assets.teacher.refusals import is_refusal
from assets.teacher.spotlight import RULE, as_data

VERSION: str = "1"  # raise it when a post gets another idea from the same answer or offline
MIN_WORDS, MAX_WORDS, MAX_CHARACTERS = 3, 12, 160
QUOTED_WORDS = 5  # as many in a row, out of the post, are a quotation and no key phrase
PHRASES = 3  # offline: as many, unless they are too short to say anything

SCHEMA: Schema = {
    "type": "object",
    "properties": {"idea": {"type": "string", "description": "3 to 12 words"}},
    "required": ["idea"],
    "additionalProperties": False,
}
_POST = (
    "Our nightly backfill took nine hours.\n\n"
    "We blamed the warehouse. It was us: every task read the whole table.\n"
    "With partition pruning the same run takes 22 minutes, and on-call sleeps again."
)
_IDEA = "slow backfills; partition pruning; calmer on-call"
EXAMPLE = Example(
    document=Document(id="example", group_id="example", split="train", text=_POST),
    answer={"idea": _IDEA},
    samples=[{"prompt": _IDEA, "completion": _POST}],
)
_SYSTEM = (
    "You name the idea behind a LinkedIn post, as its author would note it before writing. "
    f"Give {MIN_WORDS} to {MAX_WORDS} words: two or three key phrases divided by '; ', in the "
    "post's language. Never quote the post's first line. No emoji, links, hashtags or names of "
    f"private persons. {RULE}"
)


def messages(document: Document, options: Options) -> list[Message]:
    """Return the instruction, the worked example as one turn, and the post."""
    return [
        {"role": "system", "content": _SYSTEM},
        {"role": "user", "content": as_data("post", _POST)},
        {"role": "assistant", "content": json.dumps(EXAMPLE.answer)},
        {"role": "user", "content": as_data("post", document.text)},
    ]


def parse(document: Document, answer: Mapping[str, object], options: Options) -> list[Fields]:
    """Return prompt and completion; ValueError says why the idea is refused."""
    idea = answer.get("idea")
    if not isinstance(idea, str):
        raise ValueError(f"the answer has no text under 'idea' but {idea!r}")
    return [_fields(" ".join(idea.split()), document)]


def offline(documents: Sequence[Document], options: Options) -> dict[str, list[Fields] | Refused]:
    """Return the best key phrases of each post, in the order of the post, as its idea."""
    return one_by_one(_key_phrases, documents)


def faults(checked: Sequence[Checked], options: Options) -> dict[str, str]:
    """Return the ideas that quote their post, or refuse to name one."""
    found = {c.sample.id: _fault(c.sample.fields["prompt"], c.document.text) for c in checked}
    return {id: reason for id, reason in found.items() if reason}


def _fault(idea: str, post: str) -> str:
    if is_refusal(idea):
        return "the idea is a refusal"
    text = f" {_words(post)} "
    for phrase in idea.split(";"):
        words = _words(phrase).split()
        for start in range(len(words) - QUOTED_WORDS + 1):
            run = " ".join(words[start : start + QUOTED_WORDS])
            if f" {run} " in text:
                return f"the idea quotes its post: {run!r}"
    return _quoted_line(idea, post)


def _key_phrases(document: Document) -> list[Fields]:
    chosen: list[Phrase] = []
    for phrase in key_phrases(document.text):
        if _enough(chosen):
            break
        if not _repeats(phrase, chosen) and not _problem(_joined([*chosen, phrase]), document.text):
            chosen.append(phrase)
    if not chosen:
        raise ValueError("no key phrase is left that does not quote the post's first line")
    return [_fields(_joined(chosen), document)]


def _fields(idea: str, document: Document) -> Fields:
    if len(idea.split()) < MIN_WORDS:
        raise ValueError(f"the idea {idea!r} has fewer than {MIN_WORDS} words")
    if problem := _problem(idea, document.text):
        raise ValueError(problem)
    return {"prompt": idea, "completion": document.text}


def _problem(idea: str, post: str) -> str:
    """Return why an idea must not stand; case, spacing and punctuation hide no first line."""
    if len(idea.split()) > MAX_WORDS or len(idea) > MAX_CHARACTERS:
        return f"the idea {idea!r} is longer than {MAX_WORDS} words or {MAX_CHARACTERS} characters"
    return _quoted_line(idea, post)


def _quoted_line(idea: str, post: str) -> str:
    line = _first_line(post)
    return (
        f"the idea {idea!r} holds the post's first line" if line and line in _letters(idea) else ""
    )


def _first_line(post: str) -> str:
    """Return the first line that has letters or digits, as `_letters` leaves it."""
    return next(filter(None, map(_letters, post.splitlines())), "")


def _letters(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\W_]+", "", folded)


def _words(text: str) -> str:
    """Return the words with a space between; "end-to-end" is one."""
    return " ".join(filter(None, map(_letters, text.split())))


def _joined(phrases: list[Phrase]) -> str:
    return "; ".join(p.text for p in sorted(phrases, key=lambda p: p.position))


def _enough(phrases: list[Phrase]) -> bool:
    return len(phrases) >= PHRASES and sum(len(p.words) for p in phrases) >= MIN_WORDS


def _repeats(phrase: Phrase, chosen: list[Phrase]) -> bool:
    return any(set(phrase.words) & set(other.words) for other in chosen)
