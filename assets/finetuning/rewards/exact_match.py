"""1 where the answer says the expected result, else 0: a number, or a text without its case.

expected  "1250"     answer  "12 crates of 100, and 50. The answer is 1,250."     1.0
"""

from assets.answers import difference
from assets.discovery import Options

VERSION = "1"


def reward(answer: str, expected: str, options: Options) -> float:
    """Return 1.0 or 0.0."""
    return 0.0 if difference(answer, expected.strip()) else 1.0
