"""How much the answer looks like the expected one: length, emoji, links, hashtags, lists, marks.

1 where all is the same, and a seventh less for each mark that only one of the two has.
"""

from assets.discovery import Options
from assets.style import distance, profile

VERSION = "1"


def reward(answer: str, expected: str, options: Options) -> float:
    """Return the reward, from 0 to 1."""
    return 1.0 - distance(profile([answer]), profile([expected]))
