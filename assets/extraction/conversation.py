"""A conversation as turns, and as one text.

[{"speaker": "<name-3fa2c1>", "text": "Is it sold?", "date": "2026-03-01 08:10:00"},
 {"speaker": "owner", "text": "Not yet.", "date": "2026-03-01 09:00:00"}]
"""

from collections.abc import Sequence

from assets.records import Turn

OWNER = "owner"  # who exported the conversation, and whose words a model may learn


def turn(speaker: str, text: str, date: str = "") -> Turn:
    """Return one turn."""
    return {"speaker": speaker, "text": text, "date": date}


def text_of(turns: Sequence[Turn]) -> str:
    """Return the conversation, one `speaker: text` paragraph a turn."""
    return "\n\n".join(f"{turn['speaker']}: {turn['text']}" for turn in turns)
