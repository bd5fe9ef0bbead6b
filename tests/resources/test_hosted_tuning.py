"""Hosted tuning over real HTTP with the real openai client: one job a run key, whatever breaks."""

import asyncio
import base64
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from resources import hosted_tuner
from resources.hosted_job import HostedJob, TunedModel, TuningFailed
from resources.hosted_service import TAG
from resources.hosted_tuner import HostedTuner
from resources.hosted_tuning import HostedTuning
from resources.sent_ledger import tag_of
from tests.loopback import Broken
from tests.teacher_server import Reply, failure
from tests.tuning_server import CURVE, Service, tuning_server

KEY = "sk-secret-1"
RETRY_AT_ONCE = {"retry_after_ms": "1"}
MODEL = "gpt-4.1-mini-2025-04-14"
LINE = b'{"messages": [{"role": "user", "content": "a private word"}]}\n'
TUNED = f"ft:{MODEL}:org:linkedin-writer-"


def job_in(folder: Path, **changes: Any) -> HostedJob:
    """Return a job whose files lie in the folder."""
    (folder / "training.jsonl").write_bytes(LINE * 10)
    (folder / "validation.jsonl").write_bytes(LINE * 2)
    job = HostedJob(
        run_key="71ab",
        model=MODEL,
        method="supervised",
        hyperparameters={"n_epochs": 3},
        training_file=folder / "training.jsonl",
        validation_file=folder / "validation.jsonl",
        seed=7,
        name="linkedin_writer",
        estimated_cost_usd=0.25,
        max_cost_usd=1.0,
    )
    return replace(job, **changes)


@dataclass
class Desk:
    """Tunes with a ledger of its own, and notes what it was told."""

    folder: Path
    base_url: str
    say: Callable[[str], None] = lambda text: None
    said: list[str] = field(default_factory=list)

    async def tune(self, job: HostedJob, **options: Any) -> TunedModel:
        from openai import AsyncOpenAI

        async with AsyncOpenAI(api_key=KEY, base_url=self.base_url, timeout=20) as client:
            tuner = HostedTuner(
                client,
                self.base_url,
                self.folder / "state" / "jobs.db",
                say=self._note,
                without_secrets=lambda text: str(text).replace(KEY, "***"),
                **{"poll_seconds": 0.001, **options},
            )
            return await tuner.tune(job)

    def _note(self, text: str) -> None:
        self.said.append(text)
        self.say(text)


def tune(service: Service, folder: Path, job: HostedJob | None = None, **options: Any):
    """Return the model and what was said on the way."""
    desk = Desk(folder, service.base_url)
    return asyncio.run(desk.tune(job or job_in(folder), **options)), desk.said


def breaking(at: str, *replies: Reply | None) -> Callable[[str], None]:
    """Return what breaks a moment with one reply after the other, and then no more."""
    left = list(replies)

    def on(moment: str) -> None:
        if moment == at and left:
            raise Broken(left.pop(0))

    return on


def test_a_job_goes_from_its_files_to_its_model(tmp_path: Path) -> None:
    with tuning_server() as service:
        tuned, _ = tune(service, tmp_path)
    assert tuned.model.startswith(TUNED)
    assert (tuned.job_id, tuned.base_model, tuned.seed) == ("ftjob-0", MODEL, 7)
    assert (tuned.trained_tokens, tuned.seconds) == (300, 60.0)
    assert tuned.hyperparameters == {
        "n_epochs": 3,
        "batch_size": 1,
        "learning_rate_multiplier": 1.8,
    }
    assert tuned.history == [
        {"step": 1, "loss": 2.5, "train_accuracy": 0.4},
        {"step": 2, "loss": 1.5, "train_accuracy": 0.6, "valid_loss": 1.9, "eval_loss": 1.75},
    ]


def test_the_service_gets_both_files_and_the_tag_of_the_run_key(tmp_path: Path) -> None:
    with tuning_server() as service:
        tune(service, tmp_path)
    assert [upload["file"] for upload in service.uploads] == [LINE * 10, LINE * 2]
    assert {upload["purpose"] for upload in service.uploads} == {b"fine-tune"}
    assert {upload["expires_after[seconds]"] for upload in service.uploads} == {b"2592000"}
    (created,) = service.created
    tag = created.pop("metadata")[TAG]
    assert len(tag) == 64
    assert created == {
        "model": MODEL,
        "training_file": "file-0",
        "validation_file": "file-1",
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
        "seed": 7,
        "suffix": f"linkedin-writer-{tag[:8]}",
    }


def test_preferences_go_to_the_method_dpo_with_their_beta(tmp_path: Path) -> None:
    settings = {"n_epochs": 2, "beta": 0.1, "learning_rate_multiplier": 0.5}
    job = job_in(tmp_path, method="dpo", hyperparameters=settings, validation_file=None)
    with tuning_server() as service:
        tuned, _ = tune(service, tmp_path, job)
    (created,) = service.created
    assert created["method"] == {"type": "dpo", "dpo": {"hyperparameters": settings}}
    assert "validation_file" not in created
    assert tuned.hyperparameters == {**settings, "batch_size": 1}


def test_events_are_told_once_and_in_their_order(tmp_path: Path) -> None:
    with tuning_server() as service:
        _, said = tune(service, tmp_path)
    assert [line for line in said if not line.startswith("uploading")] == [
        "ftjob-0: created, estimated at $0.25",
        "ftjob-0: Created fine-tuning job: ftjob-0",
        "ftjob-0: Step 0: training loss=3",
        "ftjob-0: validating_files",
        "ftjob-0: Step 1: training loss=2",
        "ftjob-0: queued",
        "ftjob-0: Step 2: training loss=1",
        "ftjob-0: running",
        "ftjob-0: succeeded",
    ]


def test_many_events_at_once_are_told_in_their_order(tmp_path: Path) -> None:
    with tuning_server() as service:

        def many(moment: str) -> None:
            if moment == "after create":
                for number in range(230):
                    service.tell("ftjob-0", f"number {number}")

        service.on = many
        _, said = tune(service, tmp_path)
    assert [s for s in said if "number" in s] == [f"ftjob-0: number {n}" for n in range(230)]


def test_a_job_over_the_cap_is_refused_before_anything_is_uploaded(tmp_path: Path) -> None:
    job = job_in(tmp_path, estimated_cost_usd=2.5, max_cost_usd=2.0)
    with tuning_server() as service:
        with pytest.raises(TuningFailed, match=r"\$2.50, over max_cost_usd \$2.00. Nothing was up"):
            tune(service, tmp_path, job)
        assert service.requests == ["GET /fine_tuning/jobs"]
        tune(service, tmp_path)
        assert tune(service, tmp_path, job)[0].job_id == "ftjob-0"  # it is paid for already


def test_a_file_over_the_limit_is_refused_before_anything_is_uploaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosted_tuner, "MOST_BYTES", 100)
    with tuning_server() as service:
        with pytest.raises(TuningFailed, match="training.jsonl has 620 bytes; the service takes"):
            tune(service, tmp_path)
        assert service.files == {}


def test_the_same_run_key_is_the_same_model_and_another_one_another_job(tmp_path: Path) -> None:
    with tuning_server() as service:
        first, _ = tune(service, tmp_path)
        again, said = tune(service, tmp_path)
        assert again == first
        assert said[0] == "ftjob-0 was created by an earlier run: going on with it"
        assert len(service.uploads) == 2
        assert tune(service, tmp_path, job_in(tmp_path, run_key="8c"))[0].job_id == "ftjob-1"


def test_a_failed_job_gives_the_reason_of_the_service_and_the_next_run_creates_another(
    tmp_path: Path,
) -> None:
    error = {
        "code": "invalid_training_file",
        "message": f"line 3 has no answer for {KEY}.",
        "param": "training_file",
    }
    with tuning_server(ending="failed", error=error) as service:
        with pytest.raises(TuningFailed) as failed:
            tune(service, tmp_path)
        assert str(failed.value) == (
            "ftjob-0: tuning gpt-4.1-mini-2025-04-14 failed: invalid_training_file line 3 has no "
            "answer for ***. (training_file). Materialize again to create another job"
        )
        service.ending = "succeeded"
        assert tune(service, tmp_path)[0].job_id == "ftjob-1"


def test_a_failed_job_without_a_reason_gives_its_last_event(tmp_path: Path) -> None:
    with (
        tuning_server(ending="failed") as service,
        pytest.raises(TuningFailed, match=r"failed: The job failed\. Materialize again"),
    ):
        tune(service, tmp_path)


def test_a_job_that_is_cancelled_at_the_service_fails(tmp_path: Path) -> None:
    with tuning_server(ending="cancelled") as service:
        with pytest.raises(TuningFailed, match="ftjob-0: .* was cancelled at the service"):
            tune(service, tmp_path)
        service.ending = "succeeded"
        assert tune(service, tmp_path)[0].job_id == "ftjob-1"


def test_a_job_that_succeeds_without_a_model_fails(tmp_path: Path) -> None:
    with tuning_server() as service:
        job = {"status": "succeeded", "fine_tuned_model": None}
        service.on = lambda now: service.jobs["ftjob-0"].update(job) if now == "look" else None
        with pytest.raises(TuningFailed, match="succeeded, and names no model"):
            tune(service, tmp_path)


@pytest.mark.parametrize("reply", [None, failure(500, "after it was created")])
@pytest.mark.parametrize("filters", [True, False])
def test_a_creation_whose_answer_is_lost_is_not_repeated(
    tmp_path: Path, reply: Reply | None, filters: bool
) -> None:
    with tuning_server(on=breaking("after create", reply), filters=filters) as service:
        assert tune(service, tmp_path)[0].job_id == "ftjob-0"
    assert service.requests.count("POST /fine_tuning/jobs") == 1


def test_a_job_that_fails_at_once_after_its_answer_was_lost_is_no_reason_for_another(
    tmp_path: Path,
) -> None:
    with tuning_server(on=breaking("after create", None), ending="failed", shown=()) as service:
        with pytest.raises(TuningFailed, match="ftjob-0"):
            tune(service, tmp_path)
        assert len(service.created) == 1


def test_a_creation_that_was_refused_for_a_while_is_tried_again_with_the_same_files(
    tmp_path: Path,
) -> None:
    with tuning_server(on=breaking("before create", failure(503), failure(429))) as service:
        assert tune(service, tmp_path)[0].job_id == "ftjob-0"
    assert service.requests.count("POST /files") == 2
    assert service.requests.count("POST /fine_tuning/jobs") == 3


def test_a_service_that_never_creates_is_given_up_with_its_reason(tmp_path: Path) -> None:
    limit = failure(429, "12 jobs a day")
    with tuning_server(on=breaking("before create", limit, limit, limit)) as service:
        with pytest.raises(TuningFailed, match="no answer came to 3 tries.*12 jobs a day"):
            tune(service, tmp_path)
        tune(service, tmp_path)
    assert len(service.created) == 1


@pytest.mark.parametrize("moment", ["list", "upload", "before create", "look"])
def test_a_refusal_ends_the_run_without_the_secret_and_the_next_goes_on(
    tmp_path: Path, moment: str
) -> None:
    refusal = failure(401, f"wrong key {KEY}")
    with tuning_server(on=breaking(moment, refusal)) as service:
        with pytest.raises(TuningFailed, match=r"wrong key \*\*\*") as failed:
            tune(service, tmp_path)
        assert failed.value.__suppress_context__
        assert tune(service, tmp_path)[0].job_id == "ftjob-0"
    assert len(service.created) == 1


def test_an_upload_that_is_repeated_is_whole(tmp_path: Path) -> None:
    with tuning_server(on=breaking("upload", failure(500, **RETRY_AT_ONCE))) as service:
        tune(service, tmp_path)
    assert service.files["file-0"] == LINE * 10


@pytest.mark.parametrize("moment", ["look", "events"])
def test_an_outage_while_the_job_runs_is_waited_out(tmp_path: Path, moment: str) -> None:
    outage = [failure(500, **RETRY_AT_ONCE)] * 8
    with tuning_server(on=breaking(moment, *outage)) as service:
        tuned, said = tune(service, tmp_path)
    assert tuned.job_id == "ftjob-0"
    assert any("Error code: 500" in line for line in said)
    assert "ftjob-0: Step 2: training loss=1" in said


@pytest.mark.parametrize("results", [CURVE.encode(), base64.b64encode(CURVE.encode())])
def test_the_curve_is_read_as_it_is_and_from_base64(tmp_path: Path, results: bytes) -> None:
    with tuning_server(results=results, cut_downloads=1) as service:
        tuned, _ = tune(service, tmp_path)
    assert [(row["step"], row["loss"]) for row in tuned.history] == [(1, 2.5), (2, 1.5)]


@pytest.mark.parametrize("what", ["no file", "no table", "gone"])
def test_without_a_result_file_the_curve_is_that_of_the_events(tmp_path: Path, what: str) -> None:
    results = {"no file": b"", "no table": b"<html>", "gone": CURVE.encode()}[what]
    with tuning_server(results=results) as service:
        if what == "gone":
            service.on = lambda now: service.files.clear() if now == "fetch" else None
        tuned, said = tune(service, tmp_path)
    assert [(row["step"], row["loss"]) for row in tuned.history] == [(0, 3.0), (1, 2.0), (2, 1.0)]
    assert any("taken from the events" in line for line in said) == (what != "no file")


def test_a_lost_ledger_creates_nothing_that_the_service_still_lists(tmp_path: Path) -> None:
    with tuning_server(filters=False) as service:
        tune(service, tmp_path)
        mine = service.jobs["ftjob-0"]
        others = {f"o-{n}": {**mine, "id": f"o-{n}", "metadata": None} for n in range(150)}
        service.jobs = {"ftjob-0": mine, **others}
        (tmp_path / "state" / "jobs.db").unlink()
        assert tune(service, tmp_path)[0].job_id == "ftjob-0"
        assert service.requests.count("GET /fine_tuning/jobs") == 3


def test_a_job_of_another_key_or_address_says_how_to_give_it_up(tmp_path: Path) -> None:
    with tuning_server() as service:
        tune(service, tmp_path)
        service.jobs.clear()
        with pytest.raises(TuningFailed, match="ftjob-0 cannot be looked at.*set `taken` to 1"):
            tune(service, tmp_path)


def test_two_runs_at_once_create_one_job(tmp_path: Path) -> None:
    async def both(service: Service) -> tuple[list[TunedModel], list[str]]:
        desks = [Desk(tmp_path, service.base_url) for _ in range(2)]
        tuned = await asyncio.gather(*(desk.tune(job_in(tmp_path)) for desk in desks))
        return tuned, [line for desk in desks for line in desk.said]

    with tuning_server() as service:
        tuned, said = asyncio.run(both(service))
    assert len(service.created) == 1
    assert tuned[0] == tuned[1]
    assert "another process is submitting: waiting for it" in said


CHILD = """
import asyncio, sys
from pathlib import Path
from tests.resources.test_hosted_tuning import Desk, job_in
folder = Path(sys.argv[1])
asyncio.run(Desk(folder, sys.argv[2]).tune(job_in(folder)))
"""


@pytest.mark.parametrize("moment", ["upload", "after create", "look"])
def test_a_run_that_is_killed_is_gone_on_from_with_one_job(tmp_path: Path, moment: str) -> None:
    def kill(now: str) -> None:
        if now == moment:
            os.kill(child.pid, signal.SIGKILL)
            child.wait()

    with tuning_server(on=kill) as service:
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path), service.base_url])
        assert child.wait(60) == -signal.SIGKILL
        service.on = lambda now: None
        assert tune(service, tmp_path)[0].job_id == "ftjob-0"
    assert len(service.created) == 1


def cancelled_at(service: Service, folder: Path, what: str, **options: Any) -> list[str]:
    """Return what a run said that is cancelled once a line that begins so was said."""

    async def run() -> list[str]:
        desk = Desk(folder, service.base_url)
        task = asyncio.ensure_future(desk.tune(job_in(folder), **options))

        def cancel(text: str) -> None:
            if text.startswith(what):
                task.cancel()

        desk.say = cancel
        with pytest.raises(asyncio.CancelledError):
            await task
        return desk.said

    return asyncio.run(run())


def test_a_run_that_is_cancelled_cancels_its_job_and_the_next_creates_another(
    tmp_path: Path,
) -> None:
    with tuning_server() as service:
        said = cancelled_at(service, tmp_path, "ftjob-0: queued")
        assert service.cancelled == ["ftjob-0"]
        assert said[-1] == ("ftjob-0 is cancelled with this run; what it has trained may be billed")
        assert tune(service, tmp_path)[0].job_id == "ftjob-1"


def test_a_run_that_is_cancelled_while_it_creates_finds_its_job_and_cancels_it(
    tmp_path: Path,
) -> None:
    with tuning_server(on=breaking("after create", None)) as service:
        said = cancelled_at(service, tmp_path, "creating a tuning job")
    assert service.cancelled == ["ftjob-0"]
    assert "ftjob-0 is cancelled" in said[-1]


def test_a_job_that_appears_after_its_creation_was_cut_off_is_cancelled_too(
    tmp_path: Path,
) -> None:
    moments: list[str] = []

    def late(moment: str) -> None:
        if moment == "list" and moments.count("list") == 2:
            service.create(refused[0])
        if moment == "before create":
            raise Broken(None)
        moments.append(moment)

    refused: list[dict[str, Any]] = []
    with tuning_server(on=late) as service:
        tag = job_in(tmp_path).key(service.base_url)
        service.files |= {"file-0": b"", "file-1": b""}
        refused.append(job_in(tmp_path).body(TAG, tag_of([tag]), "file-0", "file-1"))
        cancelled_at(service, tmp_path, "creating a tuning job")
    assert service.cancelled == ["ftjob-0"]


def test_a_run_that_is_cancelled_before_its_job_is_created_cancels_nothing(tmp_path: Path) -> None:
    with tuning_server() as service:
        said = cancelled_at(service, tmp_path, "uploading")
        assert (service.created, service.cancelled) == ([], [])
        service.on = breaking("before create", failure(503))
        said_later = cancelled_at(service, tmp_path, "creating a")
    assert "the service lists none; should there be one, the next run" in said_later[-1]
    assert "uploading" in said[-1]


def test_a_job_is_left_to_the_next_run_where_that_is_wanted(tmp_path: Path) -> None:
    with tuning_server() as service:
        said = cancelled_at(service, tmp_path, "ftjob-0: queued", cancel_with_the_run=False)
        assert said[-1] == "ftjob-0 goes on at the service: the next run finds it"
        assert tune(service, tmp_path)[0].job_id == "ftjob-0"
    assert service.cancelled == []


def test_a_cancellation_that_the_service_refuses_is_said_and_the_job_is_kept_in_mind(
    tmp_path: Path,
) -> None:
    with tuning_server(on=breaking("cancel", failure(403, f"not with {KEY}"))) as service:
        said = cancelled_at(service, tmp_path, "ftjob-0: queued")
        assert "ftjob-0 could not be cancelled and may go on, and cost" in said[-1]
        assert "not with ***" in said[-1]
        assert tune(service, tmp_path)[0].job_id == "ftjob-0"


IN_DAGSTER = """
import sys, time
from pathlib import Path
import dagster as dg
from resources.hosted_tuning import HostedTuning
from tests.resources.test_hosted_tuning import job_in
folder = Path(sys.argv[1])
@dg.asset
def tuned(context: dg.AssetExecutionContext, hosted: HostedTuning) -> None:
    hosted.tune(job_in(folder), context.log.info)
hosted = HostedTuning(ledger_path=str(folder / "jobs.db"), poll_seconds=60)
instance = dg.DagsterInstance.ephemeral()
dg.materialize([tuned], resources={"hosted": hosted}, instance=instance)
"""


def test_terminating_a_run_of_dagster_cancels_the_job(tmp_path: Path) -> None:
    def interrupt(now: str) -> None:
        if now == "events":  # a minute of waiting begins after this
            child.send_signal(signal.SIGINT)

    with tuning_server(on=interrupt) as service:
        environment = {**os.environ, "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": service.base_url}
        child = subprocess.Popen(
            [sys.executable, "-c", IN_DAGSTER, str(tmp_path)],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        _, log = child.communicate(timeout=60)
    assert child.returncode != 0
    assert service.cancelled == ["ftjob-0"]
    assert "ftjob-0 is cancelled with this run" in log
    assert KEY not in log


def test_no_example_and_no_secret_is_written_down(tmp_path: Path) -> None:
    with tuning_server() as service:
        tune(service, tmp_path)
    for file in (tmp_path / "state").iterdir():
        assert b"a private word" not in file.read_bytes()
        assert KEY.encode() not in file.read_bytes()


@pytest.fixture
def hosted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HostedTuning:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    return HostedTuning(ledger_path=str(tmp_path / "jobs.db"), poll_seconds=0.001)


def test_the_resource_takes_key_and_address_from_the_environment(
    hosted: HostedTuning, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    with tuning_server() as service:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_BASE_URL", service.base_url)
        assert hosted.tune(job_in(tmp_path), said.append).model.startswith(TUNED)
    assert "ftjob-0: succeeded" in said


def test_a_failed_job_fails_the_asset_without_a_retry(
    hosted: HostedTuning, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = {"code": "server_error", "message": "try later", "param": None}
    with tuning_server(ending="failed", error=error) as service:
        monkeypatch.setenv("OPENAI_BASE_URL", service.base_url)
        with pytest.raises(dg.Failure, match="failed: server_error try later") as failed:
            hosted.tune(job_in(tmp_path), print)
    assert failed.value.allow_retries is False


def test_without_key_and_address_nothing_is_sent(hosted: HostedTuning, tmp_path: Path) -> None:
    with pytest.raises(dg.Failure, match="hosted tuning needs OPENAI_API_KEY .* nothing was sent"):
        hosted.tune(job_in(tmp_path), print)


@pytest.mark.parametrize("address", ["localhost:1", "http://h/v1?key=x", "http://"])
def test_an_address_that_is_none_is_refused_without_being_shown(
    hosted: HostedTuning, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", address)
    with pytest.raises(dg.Failure, match=r"OPENAI_BASE_URL is not http\(s\)://host/path") as failed:
        hosted.tune(job_in(tmp_path), print)
    assert address not in str(failed.value)


@cache
def _components(real_data: Path) -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    path = real_data / "openai_api" / "openapi.yaml"
    return _of_3_1(yaml.load(path.read_text(encoding="utf-8"), Loader=loader)["components"])


def _of_3_1(schema: Any) -> Any:
    """Return a schema whose `exclusiveMinimum: true`, OpenAPI 3.0's, is a number."""
    if isinstance(schema, list):
        return [_of_3_1(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _of_3_1(part) for name, part in schema.items()}
    if found.get("exclusiveMinimum") is True:
        found["exclusiveMinimum"] = found.pop("minimum")
    return found


@pytest.mark.real_data
@pytest.mark.parametrize("method", ["supervised", "dpo"])
def test_requests_and_answers_have_the_shape_of_the_official_specification(
    tmp_path: Path, method: str
) -> None:
    from jsonschema import Draft202012Validator

    real_data = Path(os.environ.get("TUNELINE_REAL_DATA", "../shared/data"))
    if not (real_data / "openai_api").is_dir():
        pytest.skip(f"no folder {real_data / 'openai_api'}: set TUNELINE_REAL_DATA")
    settings = {"n_epochs": 3, "batch_size": 4, "learning_rate_multiplier": 0.5}
    settings |= {"beta": 0.1} if method == "dpo" else {}
    error = {"code": "c", "message": "m", "param": None}
    with tuning_server(ending="failed", error=error) as service:
        with pytest.raises(TuningFailed):
            tune(service, tmp_path, job_in(tmp_path, method=method, hyperparameters=settings))
        service.ending = "succeeded"
        tune(service, tmp_path, job_in(tmp_path, method=method, hyperparameters=settings))
        jobs = service.page(list(service.jobs.values()), {})
        events = service.got("/fine_tuning/jobs/ftjob-1/events", {"limit": "100"})
    shapes = [
        ("CreateFineTuningJobRequest", service.created[0]),
        ("FineTuningJob", service.jobs["ftjob-0"]),
        ("FineTuningJob", service.jobs["ftjob-1"]),
        ("ListPaginatedFineTuningJobsResponse", jobs),
        ("ListFineTuningJobEventsResponse", events),
        ("OpenAIFile", service.keep_file(b"", "fine-tune", "f.jsonl")),
    ]
    for name, value in shapes:
        schema = {"$ref": f"#/components/schemas/{name}", "components": _components(real_data)}
        Draft202012Validator(schema).validate(value)
        wrong = {"id": 1, "data": 1, "model": 1, "object": "no"}
        assert not Draft202012Validator(schema).is_valid(wrong)
