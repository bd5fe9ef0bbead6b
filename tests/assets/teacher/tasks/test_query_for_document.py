"""Queries: what is refused, what is typed offline, and which documents they must not find."""

from collections.abc import Sequence

import pytest

from assets.records import Document, Sample, Split
from assets.teacher.protocol import Checked, Fields, Refused
from assets.teacher.tasks import query_for_document as task
from tests.assets.teacher.tasks.talking import with_stand_ins

OPTIONS = task.Options()
ARTICLES = {
    "refund": "A refund for a lost parcel is paid once the carrier has closed its search.",
    "damage": "A parcel that came damaged is reported with two pictures within a week.",
    "login": "A forgotten password is reset by the link that we send to your address.",
    "tea": "Green tea is steeped for two minutes in water that does not boil.",
}
QUERIES = {
    "refund": "money back for a lost package",
    "damage": "box was broken when delivered",
    "login": "can't sign in any more",
    "tea": "how long to brew a cup",
}


def document(name: str, split: Split = "train", **metadata: str) -> Document:
    return Document(name, f"group of {name}", split, ARTICLES[name], metadata)


def row(name: str, query: str = "", split: Split = "train", group: str = "") -> Checked:
    about = document(name, split)
    fields = {"anchor": query or QUERIES[name], "positive": about.text}
    return Checked(
        Sample(f"{name} {split}", name, group or about.group_id, split, fields, "a-teacher"), about
    )


def negatives(rows: Sequence[Checked], options: task.Options = OPTIONS) -> dict[str, Fields]:
    return task.finish(rows, options)


def test_the_worked_example_gives_the_sample_that_it_names() -> None:
    made, [query] = with_stand_ins(task, task.EXAMPLE.document, OPTIONS)
    assert made == task.EXAMPLE.samples
    assert query.messages[1]["content"].count("\u02c6lost\u02c6parcel\u02c6") == 1


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({}, "no text under 'query' but None"),
        ({"query": "refund"}, "has not 2 to 12 words"),
        ({"query": "why is a lost parcel is paid late"}, "copies 'a lost parcel is'"),
    ],
)
def test_a_query_that_no_searcher_types_is_refused(answer, problem) -> None:
    with pytest.raises(ValueError, match=problem):
        task.parse(document("refund"), answer, OPTIONS)


def test_offline_the_query_is_key_phrases_that_quote_nothing() -> None:
    made = task.offline([document("refund"), document("tea")], OPTIONS)
    assert made["tea"] == [{"anchor": "green tea steeped minutes", "positive": ARTICLES["tea"]}]


def test_offline_metadata_may_be_the_query() -> None:
    titled = [document("tea", title="Brewing times"), document("login")]
    made = task.offline(titled, task.Options(query_from="title"))
    assert made["tea"] == [{"anchor": "Brewing times", "positive": ARTICLES["tea"]}]
    assert made["login"] == Refused("the document has no metadata 'title'")


def test_the_negative_is_the_nearest_document_that_answers_clearly_less() -> None:
    rows = [row(name) for name in ARTICLES]
    found = negatives(rows)
    assert found["refund train"]["negative"] == ARTICLES["damage"]
    assert found["damage train"]["negative"] == ARTICLES["refund"]
    assert negatives(rows[::-1]) == found


def test_a_negative_is_of_the_same_split_and_another_group() -> None:
    rows = [row("refund"), row("damage", split="test"), row("login"), row("tea")]
    found = negatives(rows)
    assert ARTICLES["damage"] not in {fields.get("negative") for fields in found.values()}
    assert "negative" not in found["damage test"]
    together = [row("refund", group="post"), row("damage", group="post"), row("tea")]
    assert negatives(together)["refund train"]["negative"] == ARTICLES["tea"]


def test_a_document_that_answers_as_well_is_no_negative() -> None:
    as_good = "A parcel is lost: the money is paid back after the carrier's search."
    twin = Document("twin", "g", "train", as_good)
    sample = Sample("twin", "twin", "g", "train", {"anchor": "-", "positive": as_good}, "t")
    found = negatives([row("refund"), Checked(sample, twin), row("damage"), row("tea")])
    assert found["refund train"]["negative"] == ARTICLES["damage"]


def test_several_negatives_are_numbered_and_none_may_be_wanted() -> None:
    rows = [row(name) for name in ARTICLES]
    fields = negatives(rows, task.Options(hard_negatives=2))["refund train"]
    assert list(fields) == ["anchor", "positive", "negative", "negative_2"]
    assert negatives(rows, task.Options(hard_negatives=0)) == {}


def test_the_audit_finds_quotes_and_queries_of_another_document() -> None:
    quoting = row("damage", "a parcel that came damaged")
    swapped = row("refund", QUERIES["tea"])
    found = task.faults([quoting, swapped, row("login"), row("tea")], OPTIONS)
    assert found["damage train"] == "the query quotes its document: 'a parcel that came'"
    assert found["refund train"].startswith("the query is more like document tea (")
    assert len(found) == 2
