"""The retrain condition on a small graph whose assets count their runs."""

from collections import Counter
from collections.abc import Callable

import dagster as dg
import pytest
from pydantic import TypeAdapter, ValidationError

from pipelines.automation import Retrain, condition_for, schedules_for
from tests.pipelines.ticks import Daemon

STAGES = ("raw_documents", "training_examples", "fine_tuned_model")


class Line:
    """source_files → raw_documents → training_examples → fine_tuned_model, over one text."""

    def __init__(self, retrain: str) -> None:
        self.text = "a b"
        self.runs: Counter[str] = Counter()
        self.while_training: Callable[[], None] = lambda: None
        self.check_passes = True
        self.daemon = Daemon(self.definitions(retrain), dg.DagsterInstance.ephemeral())

    def definitions(self, retrain: str) -> dg.Definitions:
        content = {
            "raw_documents": lambda: " ".join(self.text.split()),
            "training_examples": lambda: " ".join(self.text.split()),
            "fine_tuned_model": lambda: f"weights of {' '.join(self.text.split())}",
        }

        @dg.observable_source_asset(key=["p", "source_files"])
        def source_files() -> dg.DataVersion:
            return dg.DataVersion(repr(self.text))

        def stage(name: str, above: str) -> dg.AssetsDefinition:
            key = dg.AssetKey(["p", name])

            @dg.asset(
                key=key,
                deps=[["p", above]],
                code_version="1",
                automation_condition=condition_for(key, retrain, trains=name == "fine_tuned_model"),
            )
            def made() -> dg.MaterializeResult:
                self.runs[name] += 1
                version = content[name]()
                if name == "fine_tuned_model":
                    self.while_training()
                return dg.MaterializeResult(data_version=dg.DataVersion(version))

            return made

        @dg.asset_check(asset=["p", "training_examples"], blocking=True)
        def preflight() -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=self.check_passes)

        above = ("source_files", *STAGES)
        made = [stage(name, above[i]) for i, name in enumerate(STAGES)]
        return dg.Definitions(assets=[source_files, *made], asset_checks=[preflight])

    def change(self, text: str) -> None:
        """Put another text into the export, as an observation finds it."""
        self.text = text
        self.daemon.instance.report_runless_asset_event(
            dg.AssetObservation(["p", "source_files"], tags={"dagster/data_version": repr(text)})
        )

    def settle(self) -> Counter[str]:
        """Tick until nothing is asked for; return how often each stage ran."""
        before = Counter(self.runs)
        list(self.daemon.until_quiet())
        return self.runs - before


@pytest.fixture
def line() -> Line:
    line = Line("on_change")
    line.change("a b")
    assert set(line.settle()) == set(STAGES)  # at the start a stage may be asked for twice
    return line


def test_the_same_content_again_runs_nothing(line: Line) -> None:
    line.change("a b")
    assert line.settle() == Counter()


def test_a_whitespace_edit_stops_at_raw_documents(line: Line) -> None:
    line.change("a   b")
    assert line.settle() == Counter(["raw_documents"])


def test_new_content_runs_down_to_the_model(line: Line) -> None:
    line.change("a b c")
    assert line.settle() == Counter(STAGES)


def test_data_that_changes_while_training_runs_trains_exactly_once_more(line: Line) -> None:
    def arrives() -> None:
        line.while_training = lambda: None
        line.change("a b c d")
        assert line.daemon.tick() == {"raw_documents"}
        line.daemon.run({"raw_documents", "training_examples"})

    line.while_training = arrives
    line.change("a b c")
    assert line.settle()["fine_tuned_model"] == 2


def test_a_failed_blocking_check_holds_training_on_later_ticks(line: Line) -> None:
    line.check_passes = False
    line.change("a b c")
    assert line.settle() == Counter(["raw_documents", "training_examples"])
    line.check_passes = True
    line.change("a b c d")
    assert line.settle() == Counter(STAGES)


def test_a_daily_cadence_trains_once_after_its_hour_with_all_that_came() -> None:
    line = Line("daily")
    line.change("a b")
    line.daemon.tick()
    line.daemon.run(set(STAGES))
    for text in ("a b c", "a b c d"):
        line.change(text)
        assert not line.settle()["fine_tuned_model"]
    asked = line.daemon.tick(hours=24)
    assert asked == {"fine_tuned_model"}
    line.daemon.run(asked)
    assert line.settle() == Counter()
    assert line.daemon.tick(hours=24) == set()  # nothing new: the hour alone trains nothing


def test_manual_asks_for_nothing() -> None:
    assert all(condition_for(dg.AssetKey(["p", s]), "manual") is None for s in STAGES)
    assert [s.name for s in schedules_for("p", "manual")] == ["p_observe"]


def test_the_sweep_asks_only_for_what_is_out_of_date() -> None:
    sweep = schedules_for("p", "on_change")[1]
    with dg.build_schedule_context() as context:
        [request] = sweep.evaluate_tick(context).run_requests or []
    assert request.stale_assets_only


@pytest.mark.parametrize("value", ["on_change", "weekly", "30 2 * * 1-5", "manual"])
def test_known_cadences_are_taken(value: str) -> None:
    assert TypeAdapter(Retrain).validate_python(value) == value


def test_an_unknown_cadence_is_refused_with_what_exists() -> None:
    with pytest.raises(ValidationError, match="'fortnightly' is none of: on_change, daily, weekly"):
        TypeAdapter(Retrain).validate_python("fortnightly")
