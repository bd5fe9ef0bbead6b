"""teacher_samples through Dagster: offline, and against a teacher on loopback over real HTTP."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from assets.extraction.sources import linkedin_export
from assets.records import Document, RawRow, Sample, content_hash, to_rows
from assets.teacher.asset import build
from assets.teacher.config import TeacherConfig
from assets.teacher.spotlight import MARKER
from assets.teacher.tasks import idea_for_post
from resources.artifact_store import Artifact, ArtifactStore
from resources.teacher_model import TeacherModel
from tests.batch_server import batch_server
from tests.teacher_server import Reply, failure, idea, teacher_server, text

KEY = "sk-test-1234567890abcdef"
POSTS = [
    f"Post {n} opens here.\n\nSlow backfills in team {n} hurt. Partition pruning fixed team {n}."
    for n in range(6)
]


class Line:
    """One pipeline of two assets with its own instance, store and cache."""

    def __init__(self, root: Path, config: TeacherConfig, posts: list[str] = POSTS):
        self.config, self.posts = config, posts
        self.instance = dg.DagsterInstance.ephemeral()
        self.store = ArtifactStore(root=str(root / "artifacts"))
        self.teacher_model = TeacherModel(cache_path=str(root / "cache.db"), max_retries=2)
        self.cache_path = root / "cache.db"

    def materialize(self) -> dg.ExecuteInProcessResult:
        return dg.materialize(
            [self._raw_documents(), *build("p", self.config)],
            instance=self.instance,
            resources={"store": self.store, "teacher_model": self.teacher_model},
            raise_on_error=False,
        )

    def _raw_documents(self) -> dg.AssetsDefinition:
        key, documents = dg.AssetKey(["p", "raw_documents"]), documents_of(self.posts)

        @dg.asset(key=key)
        def raw_documents(store: ArtifactStore) -> dg.MaterializeResult:
            rows = to_rows(documents)
            return store.publish_rows(key, content_hash(rows), rows=rows).result()

        return raw_documents


def documents_of(posts: list[str]) -> list[Document]:
    return [
        Document(content_hash(post), f"g{n}", "test" if n == 1 else "train", post, {"date": "2026"})
        for n, post in enumerate(posts)
    ]


def numbers(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    [event] = result.asset_materializations_for_node("p__teacher_samples")
    return {name: value.value for name, value in event.metadata.items()}


def artifact(line: Line, result: dg.ExecuteInProcessResult) -> Artifact:
    [event] = result.asset_materializations_for_node("p__teacher_samples")
    version = (event.tags or {})["dagster/data_version"]
    return Artifact(event.asset_key, version, Path(numbers(result)["artifact"]))


def samples(line: Line, result: dg.ExecuteInProcessResult) -> list[Sample]:
    return [Sample.from_row(row) for row in artifact(line, result).rows()]


def error_of(result: dg.ExecuteInProcessResult) -> str:
    [event] = result.filter_events(lambda event: event.is_step_failure)
    return str(event.step_failure_data.error)


def check_of(
    result: dg.ExecuteInProcessResult, name: str = "failure_rate"
) -> dg.AssetCheckEvaluation:
    [evaluation] = [e for e in result.get_asset_check_evaluations() if e.check_name == name]
    return evaluation


def plain(request: dict[str, Any]) -> str:
    """Return all that a request says, without the marker of its data."""
    return " ".join(m["content"].replace(MARKER, " ") for m in request["messages"])


@pytest.fixture
def no_teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def asked_at(monkeypatch: pytest.MonkeyPatch, base_url: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", base_url)


def teacher(**options: Any) -> TeacherConfig:
    return TeacherConfig.model_validate(
        {"task": "idea_for_post", "model": "gpt-4o-mini", "max_output_tokens": 50, **options}
    )


def good(request: dict[str, Any], number: int) -> Reply:
    """Answer with an idea that depends on the post alone."""
    return idea(f"three plain words {content_hash(request['messages'])}")


@pytest.mark.usefixtures("no_teacher")
def test_without_a_task_documents_pass_through(tmp_path: Path) -> None:
    line = Line(tmp_path, TeacherConfig())
    made = samples(line, line.materialize())
    assert [s.fields for s in made if s.split == "test"] == [{"text": POSTS[1], "date": "2026"}]
    assert {s.method for s in made} == {"passed_through"}


@pytest.mark.usefixtures("no_teacher")
def test_offline_ideas_need_no_key_and_inherit_split_and_group(tmp_path: Path) -> None:
    line = Line(tmp_path, TeacherConfig(task="idea_for_post"), [*POSTS, "Thanks!"])
    result = line.materialize()
    made = {s.document_id: s for s in samples(line, result)}
    by_id = {d.id: d for d in documents_of(POSTS)}
    assert made.keys() == by_id.keys()
    for document_id, sample in made.items():
        document = by_id[document_id]
        assert (sample.split, sample.group_id) == (document.split, document.group_id)
        assert sample.fields["completion"] == document.text
        assert sample.method == "offline"
    [failed] = artifact(line, result).rows("failed")
    assert failed["document_id"] == content_hash("Thanks!")
    assert "no key phrase" in failed["reason"]
    counts = numbers(result)
    assert (counts["samples"], counts["failed"], counts["new"], counts["cost_usd"]) == (6, 1, 0, 0)


@pytest.mark.usefixtures("no_teacher")
def test_the_same_documents_give_the_same_version_and_a_new_one_changes_no_other(
    tmp_path: Path,
) -> None:
    first = Line(tmp_path / "a", TeacherConfig(task="idea_for_post"))
    second = Line(tmp_path / "b", TeacherConfig(task="idea_for_post"))
    more = Line(tmp_path / "c", TeacherConfig(task="idea_for_post"), [*POSTS, POSTS[0] + " More."])
    one, two, three = (line.materialize() for line in (first, second, more))
    assert artifact(first, one).version == artifact(second, two).version
    parquet = "rows.parquet"
    bytes_of = [(artifact(first, r).path / parquet).read_bytes() for r in (one, two)]
    assert bytes_of[0] == bytes_of[1]
    assert {s.id for s in samples(first, one)} < {s.id for s in samples(more, three)}


@pytest.mark.usefixtures("no_teacher")
def test_too_many_failures_hold_what_comes_after(tmp_path: Path) -> None:
    line = Line(tmp_path, TeacherConfig(task="idea_for_post"), [*POSTS, "Thanks!"])
    evaluation = check_of(line.materialize())
    assert not evaluation.passed
    assert evaluation.blocking
    assert "1 of 7 documents (14.3%) gave no sample; allowed: 10.0%" in str(evaluation.description)


@pytest.mark.usefixtures("no_teacher")
def test_no_sample_at_all_fails_with_the_reasons(tmp_path: Path) -> None:
    line = Line(tmp_path, TeacherConfig(task="idea_for_post"), ["Thanks!", "Hello!"])
    assert "no sample came of 2 documents: no key phrase" in error_of(line.materialize())


@pytest.mark.usefixtures("no_teacher")
def test_a_model_without_key_and_address_fails_before_anything_is_sent(tmp_path: Path) -> None:
    line = Line(tmp_path, teacher())
    assert "'gpt-4o-mini' needs OPENAI_API_KEY" in error_of(line.materialize())
    assert not line.cache_path.exists()


def test_a_teacher_is_asked_once_and_never_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(tmp_path, teacher(max_concurrency=2))
    with teacher_server(good) as server:
        asked_at(monkeypatch, server.base_url)
        first, second = line.materialize(), line.materialize()
        assert len(server.requests) == len(POSTS)
        assert server.most_in_flight <= 2
    assert artifact(line, first).version == artifact(line, second).version
    counts, again = numbers(first), numbers(second)
    assert (counts["new"], counts["cached"], counts["prompt_tokens"]) == (6, 0, 600)
    assert counts["cost_usd"] == pytest.approx(6 * (100 * 0.15 + 10 * 0.6) / 1e6)
    assert counts["cost_usd"] < counts["estimated_cost_usd"] < 1
    assert (again["new"], again["cached"], again["cost_usd"]) == (0, 6, 0)
    assert again["estimated_cost_usd"] == 0
    assert {s.method for s in samples(line, first)} == {"gpt-4o-mini"}
    assert all(s.request_hash and s.cost_usd > 0 for s in samples(line, second))


def test_one_more_post_is_one_request_and_one_letter_of_the_prompt_is_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(tmp_path, teacher())
    with teacher_server(good) as server:
        asked_at(monkeypatch, server.base_url)
        line.materialize()
        line.posts = [*POSTS, "One more post.\n\nIt speaks of slow backfills."]
        assert numbers(line.materialize())["new"] == 1
        monkeypatch.setattr(idea_for_post, "_SYSTEM", idea_for_post._SYSTEM + "!")
        assert numbers(line.materialize())["new"] == 7
        assert len(server.requests) == 6 + 1 + 7


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{idea:", "the answer is no JSON"),
        ('[{"idea": "a b c"}]', "the answer is a JSON list"),
        ('{"idea": "x"}', "fewer than 3 words"),
    ],
)
def test_a_bad_answer_is_repaired_once_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str, reason: str
) -> None:
    line = Line(tmp_path, teacher(), POSTS[:1])

    def answer(request: dict[str, Any], number: int) -> Reply:
        return text(bad) if number == 0 else idea("three plain words")

    with teacher_server(answer) as server:
        asked_at(monkeypatch, server.base_url)
        first, second = line.materialize(), line.materialize()
        assert len(server.requests) == 2  # neither the bad answer nor the good one is paid twice
    repair = server.requests[1]["messages"]
    assert repair[-2] == {"role": "assistant", "content": bad}
    assert reason in repair[-1]["content"].replace(MARKER, " ")
    assert samples(line, first) == samples(line, second)
    assert samples(line, first)[0].fields["prompt"] == "three plain words"


def test_refusals_and_answers_that_quote_the_post_fail_their_row_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(request: dict[str, Any], number: int) -> Reply:
        post = plain(request)
        if "Post 0 opens" in post:
            return text(None, refusal="not this one")
        return idea("post 1 opens here, friends") if "Post 1 opens" in post else idea("a b c")

    line = Line(tmp_path, teacher(max_failure_rate=0.5))
    with teacher_server(answer) as server:
        asked_at(monkeypatch, server.base_url)
        result = line.materialize()
        assert len(server.requests) == 1 + 2 + 4
    reasons = {row["document_id"]: row["reason"] for row in artifact(line, result).rows("failed")}
    assert reasons == {
        content_hash(POSTS[0]): "the teacher refused: not this one",
        content_hash(POSTS[1]): "the idea 'post 1 opens here, friends' holds the post's first line",
    }
    assert numbers(result)["samples"] == 4
    assert check_of(result).passed


def test_an_estimate_over_the_cap_sends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(tmp_path, teacher(max_cost_usd=0.0001))
    with teacher_server(good) as server:
        asked_at(monkeypatch, server.base_url)
        error = error_of(line.materialize())
        assert server.requests == []
    assert "prompt tokens are estimated at $0.0" in error
    assert "Nothing was sent; over max_cost_usd $0.0001: raise it" in error


@pytest.mark.parametrize("max_concurrency", [1, 4])
def test_the_cap_stops_the_run_and_the_next_one_goes_on_without_asking_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, max_concurrency: int
) -> None:
    def answer(request: dict[str, Any], number: int) -> Reply:
        """Bill $0.05 each time, and be right only when asked again: twice the estimate."""
        repaired = len(request["messages"]) > 4
        content = '{"idea": "three plain words"}' if repaired else '{"idea": "x"}'
        return text(content, completion_tokens=50)

    config = teacher(
        max_cost_usd=0.32, price_per_million=[0, 1000], max_concurrency=max_concurrency
    )
    line = Line(tmp_path, config)
    with teacher_server(answer) as server:
        asked_at(monkeypatch, server.base_url)
        error = error_of(line.materialize())
        assert len(server.requests) == 6
        assert "stopped before max_cost_usd $0.3200: $0.3000 is spent" in error
        result = line.materialize()
    counts = numbers(result)
    assert (counts["samples"], counts["new"]) == (6, 6)
    assert counts["cost_usd"] == pytest.approx(0.30)
    asked = [json.dumps(request, sort_keys=True) for request in server.requests]
    assert len(asked) == len(set(asked)) == 12


def test_deleting_all_but_the_cache_asks_nothing_and_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(tmp_path, teacher())
    with teacher_server(good) as server:
        asked_at(monkeypatch, server.base_url)
        result = line.materialize()
        rows = (artifact(line, result).path / "rows.parquet").read_bytes()
        shutil.rmtree(tmp_path / "artifacts")
        again = Line(tmp_path, teacher())
        result = again.materialize()
        assert len(server.requests) == len(POSTS)
    assert (artifact(again, result).path / "rows.parquet").read_bytes() == rows


@pytest.mark.real_data
def test_one_more_of_638_real_posts_is_exactly_one_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(os.environ.get("TUNELINE_REAL_DATA", "../shared/data"))
    path = path / "linkedin_posts/LI_posts.csv"
    if not path.exists():
        pytest.skip(f"no real data at {path}: set TUNELINE_REAL_DATA")
    found = linkedin_export.read(path, linkedin_export.Options())
    posts = list(dict.fromkeys(row.text for row in found if isinstance(row, RawRow)))
    line = Line(tmp_path, teacher(max_concurrency=16), posts[:638])
    with teacher_server(good) as server:
        asked_at(monkeypatch, server.base_url)
        assert numbers(line.materialize())["new"] == 638 == len(server.requests)
        line.posts = posts[:639]
        result = line.materialize()
        assert numbers(result)["new"] == 1
        rows = (artifact(line, result).path / "rows.parquet").read_bytes()
        shutil.rmtree(tmp_path / "artifacts")
        again = Line(tmp_path, line.config, line.posts)
        result = again.materialize()
        assert len(server.requests) == 639
        assert (artifact(again, result).path / "rows.parquet").read_bytes() == rows
        monkeypatch.setattr(idea_for_post, "_SYSTEM", idea_for_post._SYSTEM + "!")
        capped = Line(tmp_path, teacher(max_calls=638), line.posts)
        assert "639 requests" in error_of(capped.materialize())
        assert len(server.requests) == 639


def test_replay_takes_answers_from_the_cache_alone_and_says_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with teacher_server(good) as server:
        asked_at(monkeypatch, server.base_url)
        first = Line(tmp_path, teacher())
        version = artifact(first, first.materialize()).version
        monkeypatch.delenv("OPENAI_API_KEY")
        replay = Line(tmp_path, teacher(mode="replay"))
        assert artifact(replay, replay.materialize()).version == version
        replay.posts = [*POSTS, "One more post.\n\nIt speaks of slow backfills."]
        assert "replay: 1 requests have no answer in the cache" in error_of(replay.materialize())
        assert len(server.requests) == len(POSTS)


def test_a_batch_makes_the_same_samples_at_half_the_estimate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = Line(tmp_path / "live", teacher())
    with teacher_server(good) as server:
        asked_at(monkeypatch, server.base_url)
        one = live.materialize()
    batch = Line(tmp_path / "batch", teacher(mode="batch", batch_poll_seconds=0.01))
    with batch_server(good) as service:
        asked_at(monkeypatch, service.base_url)
        two = batch.materialize()
        assert len(service.batches) == 1
    assert [s.fields for s in samples(batch, two)] == [s.fields for s in samples(live, one)]
    for name in ("cost_usd", "estimated_cost_usd"):
        assert numbers(two)[name] == pytest.approx(numbers(one)[name] / 2)


def test_rows_draw_a_wording_and_a_system_prompt(tmp_path: Path) -> None:
    config = TeacherConfig.model_validate(
        {
            "task": "idea_for_post",
            "wordings": ["Write a post on {prompt}", "{prompt}: a post, please"],
            "system_prompts": ["It is {date}."],
        }
    )
    line = Line(tmp_path, config)
    made = samples(line, line.materialize())
    assert {s.fields["wording"] for s in made} == {"0", "1"}
    assert {s.fields["system"] for s in made} == {"It is 2026."}
    unknown = Line(tmp_path, config.model_copy(update={"wordings": ("{topic}",)}))
    assert "no field 'topic'; there are: completion, date, prompt" in error_of(
        unknown.materialize()
    )


def test_a_bad_teacher_is_caught_by_the_audit_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(request: dict[str, Any], number: int) -> Reply:
        if "You check training samples" in plain(request):
            good = "team 3" not in plain(request)
            return text(json.dumps({"good": good, "reason": "no idea but a slogan"}))
        return idea("Sorry, I cannot help with that")

    line = Line(tmp_path, teacher(audit_model="gpt-4o"))
    with teacher_server(answer) as server:
        asked_at(monkeypatch, server.base_url)
        result = line.materialize()
        assert len(server.requests) == 2 * len(POSTS)
    evaluation = check_of(result, "teacher_audit")
    assert not evaluation.passed and evaluation.blocking
    assert "6 of 6 audited samples (100.0%) have a fault; allowed: 5.0%" in str(
        evaluation.description
    )
    reasons = {(row["by"], row["reason"]) for row in artifact(line, result).rows("faults")}
    assert ("model", "no idea but a slogan") in reasons
    assert numbers(result)["audit_agreement"] == pytest.approx(1 / 6)


def test_no_personal_data_leaves_even_where_extraction_kept_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "Ring +44 20 7946 0958 or jane.doe@harbourline.example about slow backfills."
    line = Line(tmp_path, teacher(), [f"Post opens here.\n\n{secret}"])
    with teacher_server(good) as server:
        asked_at(monkeypatch, server.base_url)
        result = line.materialize()
        sent = plain(server.requests[0])
    assert "slow backfills" in sent
    assert "7946" not in sent and "jane" not in sent
    assert samples(line, result)[0].fields["completion"].endswith(secret)
    assert "0 of 1 requests hold personal data" in str(check_of(result, "privacy").description)
    published = artifact(line, result)
    [row] = published.rows("requests")
    told = [*row["messages"], {"role": "user", "content": secret}]
    import assets.teacher.asset as asset

    kept = published.rows
    leaky = SimpleNamespace(
        rows=lambda t="rows": [{**row, "messages": told}] if t == "requests" else kept(t)
    )
    documents = {d.id: d.to_row() for d in documents_of(line.posts)}
    assert list(asset._leaks(leaky, documents, ()).values()) == ["email"]  # type: ignore[arg-type]


def test_a_refused_key_ends_the_run_and_is_in_no_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(tmp_path, teacher(max_concurrency=1))
    with teacher_server(lambda request, n: failure(401, f"wrong key {KEY}")) as server:
        asked_at(monkeypatch, server.base_url)
        result = line.materialize()
        assert len(server.requests) == 1
    assert "gpt-4o-mini cannot be asked" in error_of(result)
    assert all(KEY not in str(event) for event in result.all_events)


def test_no_secret_is_in_the_cache_the_artifact_or_the_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(tmp_path, teacher())
    with teacher_server(good) as server:
        asked_at(monkeypatch, server.base_url)
        result = line.materialize()
    assert all(KEY not in str(event) for event in result.all_events)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 3
    assert all(KEY.encode() not in path.read_bytes() for path in files)


def test_the_code_version_follows_the_configuration_and_the_prompt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def version(config: TeacherConfig) -> str | None:
        [asset, *_] = build("p", config)
        return next(iter(asset.specs)).code_version  # type: ignore[union-attr]

    before = version(teacher())
    assert before == version(teacher())
    assert before != version(teacher(temperature=0.5))
    monkeypatch.setattr(idea_for_post, "VERSION", "other")
    assert before != version(teacher())


def test_loading_the_room_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from assets.teacher.asset import build\n"
        "from assets.teacher.config import TeacherConfig\n"
        "build('p', TeacherConfig(task='idea_for_post'))\n"
        "heavy = {'openai', 'torch', 'pandas', 'pyarrow', 'datasets'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)\n"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENAI")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
