"""How sure a difference between two arms is: a paired bootstrap over the test rows."""

import math
import random
from collections.abc import Callable, Sequence

from assets.records import Row

DRAWS = 1000


def paired_interval(
    measure: Callable[[Sequence[Row]], float], ours: Sequence[Row], theirs: Sequence[Row], seed: int
) -> tuple[float, float] | None:
    """Return the 95 % interval of `measure(ours) - measure(theirs)`, rows drawn with replacement.

    Both arms are measured on the same rows at each draw (Efron and Tibshirani 1993, percentile
    method). A draw that the measure cannot judge is left out; None where it judges fewer than half.
    """
    chance = random.Random(seed)
    count = len(ours)
    found: list[float] = []
    for _ in range(DRAWS):
        drawn = chance.choices(range(count), k=count)
        gap = measure([ours[i] for i in drawn]) - measure([theirs[i] for i in drawn])
        if not math.isnan(gap):
            found.append(gap)
    if len(found) < DRAWS / 2:
        return None
    found.sort()
    return found[int(0.025 * len(found))], found[int(0.975 * len(found)) - 1]
