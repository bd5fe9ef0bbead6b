"""How posts look, as rates: what a reader notices before reading.

A profile: `{"words": 112.0, "emoji": 0.92, "link": 0.54, "hashtag": 0.38, "list": 0.21,
"question": 0.08, "em_dash": 0.04}`.
"""

import re
from collections.abc import Callable, Sequence
from statistics import median

_EMOJI = re.compile("[\U0001f1e6-\U0001f1ff\U0001f300-\U0001faff\u2600-\u27bf\u2b50\u2b55\u20e3]")
_LINK = re.compile(r"https?://|\bwww\.|\blnkd\.in/", re.IGNORECASE)
_HASHTAG = re.compile(r"(?<![\w/&])#\w*[^\W\d]\w*")
_LIST_LINE = re.compile(r"^\s*(?:[-*•▪‣→➡✅✔]\ufe0f?\s+|\d{1,2}(?:[.)]\s+|\ufe0f?\u20e3))")
_MARKS: dict[str, Callable[[str], bool]] = {
    "emoji": lambda post: bool(_EMOJI.search(post)),
    "link": lambda post: bool(_LINK.search(post)),
    "hashtag": lambda post: bool(_HASHTAG.search(post)),
    "list": lambda post: sum(map(bool, map(_LIST_LINE.match, post.splitlines()))) >= 2,
    "question": lambda post: post.rstrip().endswith(("?", "\uff1f")),
    "em_dash": lambda post: "—" in post,
}


def profile(posts: Sequence[str]) -> dict[str, float]:
    """Return the median number of words, and the share of posts that have each mark."""
    if not posts:
        raise ValueError("there are no posts to profile")
    rates = {name: sum(map(has, posts)) / len(posts) for name, has in _MARKS.items()}
    return {"words": float(median(len(post.split()) for post in posts)), **rates}


def distance(mine: dict[str, float], author: dict[str, float]) -> float:
    """Return the mean absolute difference of two profiles, in [0, 1].

    Words differ by their share of the author's, at most 1.
    """
    words = min(1.0, abs(mine["words"] - author["words"]) / max(author["words"], 1.0))
    rates = [abs(mine[name] - author[name]) for name in _MARKS]
    return (words + sum(rates)) / (1 + len(rates))
