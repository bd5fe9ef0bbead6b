"""Files as no program writes them, drawn by a seed."""

import random
from collections.abc import Iterator


def damaged(whole: bytes, count: int = 60, seed: int = 7) -> Iterator[bytes]:
    """Yield the file cut, with bytes changed, with parts repeated, and plain noise."""
    draw = random.Random(seed)
    for _ in range(count):
        start, end = sorted(draw.randrange(len(whole) + 1) for _ in range(2))
        kind = draw.randrange(4)
        if kind == 0:
            yield whole[:end]
        elif kind == 1:
            yield whole[:start] + draw.randbytes(draw.randrange(40)) + whole[end:]
        elif kind == 2:
            yield whole[:end] + whole[start:end] * 2 + whole[end:]
        else:
            yield draw.randbytes(draw.randrange(2000))
