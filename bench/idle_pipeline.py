"""A pipeline with the work left out: the same assets, checks and heavy processes, nothing made."""

import time
from pathlib import Path

import dagster as dg

from pipelines.definitions import defs as load_definitions
from resources.launcher import Launcher

IMPORTS = {  # what training and evaluation import, each in a process of its own
    "fine_tuned_model": ["assets.finetuning.training", "trl.trainer.sft_trainer", "peft"],
    "evaluation_report": ["assets.evaluation.harness", "peft", "sklearn.linear_model"],
}
METADATA = {"preview": dg.MetadataValue.md("x" * 20_000), "rows": 100}  # as long as a picture
Seconds = dict[str, float]  # part -> seconds


def idle_pipeline(pipeline: str, heavy: Seconds) -> dg.Definitions:
    """Return the jobs `observe` and `materialize`; `heavy` takes the seconds of the processes."""
    real = load_definitions()
    source = dg.AssetKey([pipeline, "source_files"])
    specs = [s for s in real.resolve_all_asset_specs() if s.group_name == pipeline]
    checks = real.resolve_asset_graph().asset_check_keys

    @dg.observable_source_asset(key=source)
    def source_files() -> dg.ObserveResult:
        return dg.ObserveResult(data_version=dg.DataVersion("1"))

    return dg.Definitions(
        assets=[source_files, *(_idle_asset(s, heavy) for s in specs if s.key != source)],
        asset_checks=[_idle_check(key) for key in checks if key.asset_key.path[0] == pipeline],
        jobs=[
            dg.define_asset_job("observe", dg.AssetSelection.assets(source)),
            dg.define_asset_job("materialize", dg.AssetSelection.all()),
        ],
        executor=dg.in_process_executor,
    )


def _idle_asset(spec: dg.AssetSpec, heavy: Seconds) -> dg.AssetsDefinition:
    name = spec.key.path[-1]

    @dg.asset(key=spec.key, deps=spec.deps, pool="heavy" if name in IMPORTS else None)
    def asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        if name in IMPORTS:
            began = time.perf_counter()
            job = {"output_dir": str(Path(name).resolve()), "imports": IMPORTS[name]}
            Launcher().run(context, "bench.idle_job", job)
            heavy[f"process of {name}"] = time.perf_counter() - began
        return dg.MaterializeResult(data_version=dg.DataVersion("1"), metadata=METADATA)

    return asset


def _idle_check(key: dg.AssetCheckKey) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=key.asset_key, name=key.name, blocking=True)
    def check() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True, metadata=METADATA)

    return check
