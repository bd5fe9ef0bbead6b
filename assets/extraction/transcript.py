"""A chat that somebody kept as one text, as turns.

Petra Novák: My parcel never came.          {"speaker": "Petra Novák", "text": "My parcel …"}
It was due on Monday.                       the same turn
Agent: I am sorry to hear that.             {"speaker": "Agent", "text": "I am sorry …"}
"""

import re

from assets.extraction.conversation import turn
from assets.records import Turn

# At most five words before the colon, so that a sentence with one is none.
_SPEAKER = re.compile(r"\s*(<?[^\W_][^\s:]{0,40}(?: [^\s:]{1,40}){0,4})\s?:(?:\s+(.*)|)$")


def read_turns(text: str) -> list[Turn]:
    """Return the turns; raises ValueError where the text begins without a speaker."""
    turns: list[Turn] = []
    for line in text.splitlines():
        if said := _SPEAKER.match(line):
            turns.append(turn(said[1], said[2] or ""))
        elif turns:
            turns[-1]["text"] += "\n" + line
        elif line.strip():
            raise ValueError("the first line names no speaker: expected 'Speaker: words'")
    spoken = [turn(t["speaker"], t["text"].strip()) for t in turns]
    return [made for made in spoken if made["text"]]
