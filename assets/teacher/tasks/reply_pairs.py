"""A person's real replies, each with what it answers: no teacher is asked.

    <name-3fa2c1>: Is it sold?        history     [{"role": "user", …}, {"role": "assistant", …}]
    owner:         Not yet.           prompt      "Could I see it on Friday?"
    <name-3fa2c1>: Could I see …      completion  "Friday at four."
    owner:         Friday at four.

Every turn of a conversation's owner that answers somebody is a pair: prompt is all that the others
said since the owner's last turn (who said it stands before it where they are several), completion
what the owner then said. Turns before are the history, as messages that begin with the user, as
chat templates want them. A table without conversations names the column of the reply.

How a reply is signed belongs to the prompt that it is later written under, so the owner's name at
its end is cut, and `sign_off` stands there instead, in one spelling.
"""

import json
import re
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from pydantic import Field

from assets import discovery
from assets.personal_data.detect import findings
from assets.records import Document, Turn
from assets.teacher.protocol import (
    Checked,
    Example,
    Fields,
    Message,
    Refused,
    Schema,
    one_by_one,
)

VERSION: str = "1"  # raise it when a conversation gives other pairs
SCHEMA: Schema = {
    "type": "object",
    "properties": {},
    "required": [],
    "additionalProperties": False,
}
OWNER = "owner"
COPIED_WORDS = 6  # so many words of the one, found in the other, are a quotation
EXAMPLE = Example(
    document=Document(
        id="example",
        group_id="example",
        split="train",
        text="<name-3fa2c1>: Is it sold?\n\nowner: Not yet.",
        turns=[
            {"speaker": "<name-3fa2c1>", "text": "Is it sold?", "date": "2026-03-01 08:10:00"},
            {"speaker": OWNER, "text": "Not yet.", "date": "2026-03-01 09:00:00"},
        ],
    ),
    answer={},
    samples=[{"prompt": "Is it sold?", "completion": "Not yet."}],
)

_CLOSING = (
    r"(?:(?:all the|with|many|my|kind(?:est)?|warm(?:est)?|best)[ ]){0,3}"
    r"(?:best|regards|wishes|thanks|thank you|cheers|sincerely|warmly|love|yours|greetings)"
    r"|take care|see you|(?:talk|speak) soon|(?:mit )?(?:freundlichen|viele|liebe|beste|schöne) "
    r"grü(?:ß|ss)en?|bis (?:bald|dann)|danke|vg|lg|mfg|cordialement|bien à (?:vous|toi)|à bientôt"
    r"|merci|saludos|gracias|un saludo|cordiali saluti|grazie|hälsningar|pozdrawiam"
)
_BEGINS = r"(?:\A|\n|(?<=[.!?\u2026)]))[ \t]*[-\u2013\u2014/~]*[ \t]*"  # a line or a sentence


class Options(discovery.Options):
    """Where the replies are, and how each ends."""

    reply_from: str = ""  # name in the metadata of the reply to the text; empty: from the turns
    max_history_turns: int = Field(default=6, ge=0)  # messages before the prompt that are kept
    sign_off: str = ""  # ends every reply; empty: none does


def offline(documents: Sequence[Document], options: Options) -> dict[str, list[Fields] | Refused]:
    """Return the pairs of each conversation; Refused where the owner answers nobody."""
    make = _from_column if options.reply_from else _from_turns
    return one_by_one(lambda document: make(document, options), documents)


def faults(checked: Sequence[Checked], options: Options) -> dict[str, str]:
    """Return replies that are empty, repeat their message, or name one of the people."""
    found = {c.sample.id: _fault(c, options) for c in checked}
    return {id: reason for id, reason in found.items() if reason}


def _from_column(document: Document, options: Options) -> list[Fields]:
    if options.reply_from not in document.metadata:
        there = ", ".join(sorted(document.metadata)) or "nothing"
        raise ValueError(f"no {options.reply_from!r} in the metadata; there are: {there}")
    reply = _unsigned(document.metadata[options.reply_from], document, options)
    if not reply:
        raise ValueError("the reply is empty")
    completion = _signed(reply, "assistant", options)
    return [{"prompt": document.text, "completion": completion}]


def _from_turns(document: Document, options: Options) -> list[Fields]:
    if not document.turns:
        raise ValueError("no conversation: it has no turns; a table's reply is named by reply_from")
    messages = _messages(document, options)
    pairs = [
        _pair(messages, i, options)
        for i, message in enumerate(messages)
        if i and message["role"] == "assistant"
    ]
    if not pairs:
        raise ValueError("the owner answers nobody in it")
    return pairs


def _pair(messages: list[Message], i: int, options: Options) -> Fields:
    history = messages[max(0, i - 1 - options.max_history_turns) : i - 1]
    if history and history[0]["role"] == "assistant":
        history = history[1:]
    pair = {"prompt": messages[i - 1]["content"], "completion": messages[i]["content"]}
    return pair | ({"history": json.dumps(history, ensure_ascii=False)} if history else {})


def _messages(document: Document, options: Options) -> list[Message]:
    """Return the turns as messages whose roles alternate."""
    several = len({turn["speaker"] for turn in document.turns} - {OWNER}) > 1
    said = [(_role(turn), _words(turn, several, document, options)) for turn in document.turns]
    blocks = groupby(((role, words) for role, words in said if words), key=itemgetter(0))
    messages = [
        {"role": role, "content": "\n".join(words for _, words in block)} for role, block in blocks
    ]
    return [m | {"content": _signed(m["content"], m["role"], options)} for m in messages]


def _role(turn: Turn) -> str:
    return "assistant" if turn["speaker"] == OWNER else "user"


def _words(turn: Turn, several: bool, document: Document, options: Options) -> str:
    if turn["speaker"] == OWNER:
        return _unsigned(turn["text"], document, options)
    return f"{turn['speaker']}: {turn['text']}" if several else turn["text"]


def _signed(text: str, role: str, options: Options) -> str:
    return f"{text}\n{options.sign_off}" if role == "assistant" and options.sign_off else text


def _unsigned(reply: str, document: Document, options: Options) -> str:
    """Return the reply without the owner's name at its end, and the closing words before it."""
    owner = document.metadata.get("owner", "")
    called = {word for word in (owner, *owner.split()) if len(word) > 1}
    names = "|".join(re.escape(name) for name in sorted(called, key=len, reverse=True))
    if names:
        signed = rf"{_BEGINS}(?:(?:{_CLOSING})[\s,.!\u2013-]+)?(?:{names})[\s.!]*\Z"
        reply = re.sub(signed, "", reply, flags=re.IGNORECASE)
    if spelled := r"\W+".join(re.findall(r"\w+", options.sign_off)):
        reply = re.sub(rf"{_BEGINS}{spelled}\W*\Z", "", reply, flags=re.IGNORECASE)
    return reply.strip()


def _fault(checked: Checked, options: Options) -> str:
    prompt, reply = checked.sample.fields["prompt"], checked.sample.fields["completion"]
    own = reply.removesuffix(options.sign_off).strip()
    if not own:
        return "the reply is empty"
    if _copies(_plain(own), _plain(prompt)):
        return "the reply copies the message"
    people = checked.document.metadata.get("people", "").split("\n")
    if findings(own, ("name",), people):
        return "the reply still holds the name of one of the people"
    return ""


def _copies(reply: list[str], prompt: list[str]) -> bool:
    if reply == prompt:
        return True
    shorter, longer = sorted((reply, prompt), key=len)
    return len(shorter) >= COPIED_WORDS and f" {' '.join(shorter)} " in f" {' '.join(longer)} "


def _plain(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold()) or text.split()
