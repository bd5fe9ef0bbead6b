"""Drives automation as the daemon does: evaluate the conditions, run what they ask for, again."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg


@dataclass
class Daemon:
    """Ticks over one set of definitions, which a test may exchange between ticks."""

    defs: dg.Definitions
    instance: dg.DagsterInstance
    cursor: Any = None
    now: datetime = field(default_factory=lambda: datetime(2026, 3, 4, 12, tzinfo=UTC))

    def tick(self, hours: float = 0.01) -> set[str]:
        """Return the names of the assets that one tick asks for; time moves on by `hours`."""
        self.now += timedelta(hours=hours)
        result = dg.evaluate_automation_conditions(
            self.defs, self.instance, cursor=self.cursor, evaluation_time=self.now
        )
        self.cursor = result.cursor
        keys = self.defs.resolve_asset_graph().get_all_asset_keys()
        return {key.path[-1] for key in keys if result.get_num_requested(key)}

    def run(self, names: set[str]) -> bool:
        """Materialize the assets and their checks in one run; return whether it succeeded."""
        graph = self.defs.resolve_asset_graph()
        keys = [k for k in graph.materializable_asset_keys if k.path[-1] in names]
        job = self.defs.resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            instance=self.instance, asset_selection=keys, raise_on_error=False
        ).success

    def until_quiet(self) -> Iterator[set[str]]:
        """Yield what each tick asked for, and run it, until two ticks ask for nothing."""
        quiet = 0
        while quiet < 2:
            asked = self.tick()
            quiet = 0 if asked else quiet + 1
            if asked:
                yield asked
                self.run(asked)
