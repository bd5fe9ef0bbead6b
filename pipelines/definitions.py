"""The one Definitions: every folder of `pipelines/` that holds a defs.yaml, and what they share."""

from pathlib import Path

import dagster as dg

from pipelines.automation import retrain_sensor
from pipelines.environments import resources

HERE = Path(__file__).parent


@dg.definitions
def defs() -> dg.Definitions:
    """Return what `dg` and `dagster` load.

    The folders are loaded one by one: a load of all of `pipelines/` would load this file again.
    """
    tree = dg.ComponentTree.for_project(HERE)
    folders = sorted(path.parent for path in HERE.glob("*/defs.yaml"))
    shared = dg.Definitions(
        resources=resources(), sensors=[retrain_sensor()], executor=dg.in_process_executor
    )
    return dg.Definitions.merge(*(tree.build_defs(folder) for folder in folders), shared)
