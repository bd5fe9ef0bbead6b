"""Which side a document is on: decided by the hash of its group alone, so it never changes sides.

Rows that are added, removed or reordered move no other row; another seed draws other groups.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable

from assets.extraction.config import SplitConfig
from assets.records import SPLITS, Split


def split_of(group_id: str, config: SplitConfig) -> Split:
    """Return the split of a group."""
    digest = hashlib.sha256(f"{config.seed}:{group_id}".encode()).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    if share < config.test:
        return "test"
    return "eval" if share < config.test + config.eval else "train"


def count_splits(splits: Iterable[Split], config: SplitConfig) -> dict[str, int]:
    """Return the rows of each split; raises ValueError where one that has a share is empty."""
    counts = Counter(splits)
    wanted: list[Split] = [split for split in SPLITS if split != "eval" or config.eval > 0]
    if empty := [split for split in wanted if not counts[split]]:
        raise ValueError(
            f"the {empty[0]} split is empty: {sum(counts.values())} documents were drawn by their "
            f"groups with split.seed {config.seed}, test {config.test}, eval {config.eval}; "
            "add rows, change split.seed, raise the share, or split by a finer group"
        )
    return {split: counts[split] for split in SPLITS}
