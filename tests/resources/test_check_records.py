"""The fence, driven through real materializations and checks."""

import dagster as dg
import pytest

from resources.check_records import blocking_result, require_passed

KEY = dg.AssetKey("rows")
CHECK = dg.AssetCheckKey(KEY, "sound")


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def make(instance, version: str, passed: bool | None) -> None:
    """Materialize `rows` at a version; `passed` is what its check says, None skips the check."""

    @dg.asset(key=KEY)
    def rows():
        return dg.MaterializeResult(data_version=dg.DataVersion(version))

    @dg.asset_check(asset=KEY, name="sound", blocking=True)
    def sound():
        return blocking_result(bool(passed), version, "3 rows are cut")

    parts = [rows] if passed is None else [rows, sound]
    dg.materialize(parts, instance=instance, raise_on_error=False)


def fence(instance) -> None:
    require_passed(dg.build_asset_context(instance=instance), [CHECK])


def test_a_passed_check_lets_through(instance) -> None:
    make(instance, "v1", True)
    fence(instance)


def test_a_failed_check_holds_with_its_words(instance) -> None:
    make(instance, "v1", False)
    with pytest.raises(dg.Failure, match="rows:sound failed: 3 rows are cut"):
        fence(instance)


def test_a_check_of_an_older_version_holds(instance) -> None:
    make(instance, "v1", True)
    make(instance, "v2", None)
    with pytest.raises(dg.Failure, match="rows:sound has not looked at the current data"):
        fence(instance)


def test_a_later_pass_opens_the_fence_again(instance) -> None:
    make(instance, "v1", False)
    make(instance, "v2", True)
    fence(instance)


def test_an_asset_that_was_never_made_holds(instance) -> None:
    with pytest.raises(dg.Failure, match="rows has never been materialized"):
        fence(instance)
