import re
from pathlib import Path

import dagster as dg
import pytest
from pydantic import ValidationError

from assets.discovery import names
from assets.extraction.config import ExtractionConfig
from assets.extraction.conversation import turn
from assets.extraction.extract import Extraction, extract
from assets.extraction.rows import SourceRow
from assets.extraction.sources import table
from assets.records import Document, RawRow, Turn, UnreadableRow, content_hash, to_rows
from resources.artifact_store import ArtifactStore

SAMPLES = Path(__file__).parents[3] / "pipelines"


def run(folder: Path, lines: list[str], **options: object) -> Extraction:
    file = folder / "Shares.csv"
    posts = [f'2026-03-01,https://l.example/{text.strip()},"{text}"' for text in lines]
    file.write_text("\n".join(["Date,ShareLink,ShareCommentary", *posts]) + "\n", encoding="utf-8")
    return extract(config(file, **options))


def config(path: Path, **options: object) -> ExtractionConfig:
    section = {"source": "linkedin_export", "path": path, "split": {"seed": 3}, **options}
    return ExtractionConfig.model_validate(section)


POSTS = [f"Post number {i}" for i in range(40)]


def test_rows_become_clean_documents_that_are_counted(tmp_path: Path) -> None:
    made = run(
        tmp_path, [*POSTS, "", "Write to ida@x.example ", "https://lnkd.in/a", "Post number 3"]
    )
    assert made.counts["documents"] == 41 == len(made.documents)
    assert made.counts["duplicates"] == 1
    assert made.counts["skipped_repost"] == made.counts["skipped_only_link"] == 1
    assert made.counts["redacted_email"] == 1
    assert made.counts["redacted_phone"] == made.counts["unreadable_rate"] == 0
    assert sum(made.counts[s] for s in ("train", "eval", "test")) == 41
    assert made.documents[40].metadata == {"date": "2026-03-01", "origin": "Shares.csv, row 43"}


def test_the_same_export_gives_the_same_rows(tmp_path: Path) -> None:
    first, second = run(tmp_path, POSTS), run(tmp_path, POSTS)
    assert content_hash(to_rows(first.documents)) == content_hash(to_rows(second.documents))


def test_no_row_changes_sides_when_rows_come_and_go(tmp_path: Path) -> None:
    before = {d.id: d.split for d in run(tmp_path, POSTS).documents}
    after = {
        d.id: d.split
        for d in run(tmp_path, ["New one", *POSTS[20:], "New two", *POSTS[:20]]).documents
    }
    assert {k: after[k] for k in before} == before


def test_whitespace_in_the_export_changes_no_row(tmp_path: Path) -> None:
    plain = run(tmp_path, POSTS)
    spaced = run(tmp_path, [f" {text}  " for text in POSTS])
    assert to_rows(plain.documents) == to_rows(spaced.documents)


def test_of_duplicates_the_earliest_stays(tmp_path: Path) -> None:
    file = tmp_path / "Shares.csv"
    rows = [f"2026-02-06 08:{i:02d}:00,l{i},Post {i}" for i in range(60)]
    file.write_text("\n".join(["Date,ShareLink,ShareCommentary", "2026-03-01,new,Post 5", *rows]))
    kept = next(d for d in extract(config(file)).documents if d.text == "Post 5")
    assert kept.metadata["date"] == "2026-02-06 08:05:00"


def test_two_pairs_of_answers_to_one_prompt_are_two_documents(tmp_path: Path) -> None:
    path = tmp_path / "titles.csv"
    rows = [f"idea {n // 3},Title {n},Another title {n},1\n" for n in range(30)]
    path.write_text("".join(["idea,a,b,b_preferred\n", *rows, rows[0]]))
    columns = {"answer_a": "a", "answer_b": "b", "preferred": "b_preferred"}
    options = {"text": "idea", "columns": columns, "split": {"eval": 0, "test": 0.3}}
    made = extract(ExtractionConfig.model_validate({"source": "table", "path": path, **options}))
    assert (made.counts["documents"], made.counts["duplicates"]) == (30, 1)


def test_one_instruction_for_two_inputs_is_two_documents(tmp_path: Path) -> None:
    path = tmp_path / "tasks.csv"
    path.write_text("".join(["do,input\n", *(f"Sum up.,Text {n}\n" for n in range(30))]))
    options = {"text": "do", "group": "input", "columns": {"input": "input"}}
    made = extract(ExtractionConfig.model_validate({"source": "table", "path": path, **options}))
    assert made.counts["documents"] == 30


def test_excerpts_of_unreadable_rows_name_nobody(tmp_path: Path) -> None:
    file = tmp_path / "Shares.csv"
    run(tmp_path, POSTS)
    file.write_text(file.read_text() + '2026-03-01,l,"From ida@x.example')
    (bad,) = extract(config(file)).unreadable
    assert (bad.file, bad.row) == ("Shares.csv", 42)
    assert "ida@" not in bad.excerpt
    assert "@x.example" in bad.excerpt


def conversation(turns: list[Turn], *people: str, text: str = "") -> RawRow:
    return RawRow(text, "g", "m.csv, row 2", {"title": "About Anna"}, turns, people)


def made_of(monkeypatch: pytest.MonkeyPatch, *rows: SourceRow, **options: object) -> Extraction:
    """Return what becomes of rows as a source yields them, among posts enough."""
    monkeypatch.setattr(table, "read", lambda path, options: iter([*rows, *OTHERS]))
    section = {"source": "table", "path": __file__, "split": {"seed": 3}, **options}
    return extract(ExtractionConfig.model_validate(section))


OTHERS = [RawRow(text, text, "") for text in POSTS]


def test_a_conversations_text_is_its_clean_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = [
        turn("Anna Lindholm", " It's Anna,\r\nring +49 30 901820 ", "2026-03-01 08:10:00"),
        turn("Anna Lindholm", "\u200b"),
        turn("owner", "Hi Anna!"),
    ]
    made = made_of(monkeypatch, conversation(turns, "Anna Lindholm", "Ida Brandt"))
    document = made.documents[0]
    anna, ida = document.metadata["people"].split("\n")
    if document.turns[0]["speaker"] != anna:
        anna, ida = ida, anna
    phone = document.turns[0]["text"].rpartition(" ")[2]
    assert document.turns == [
        turn(anna, f"It's {anna},\nring {phone}", "2026-03-01 08:10:00"),
        turn("owner", f"Hi {anna}!"),
    ]
    assert document.text == f"{anna}: It's {anna},\nring {phone}\n\nowner: Hi {anna}!"
    assert document.metadata["title"] == f"About {anna}"
    assert "Anna" not in str(document)
    assert ida.startswith("<name-")


def test_names_stay_where_they_are_not_to_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    row = conversation([turn("Anna", "I am Anna")], "Anna", "Ben  Owusu")
    document = made_of(monkeypatch, row, redact=["email"]).documents[0]
    assert document.text == "Anna: I am Anna"
    assert document.metadata["people"] == "Anna\nBen Owusu"


def test_without_people_there_are_no_turns_and_no_people(monkeypatch: pytest.MonkeyPatch) -> None:
    document = made_of(monkeypatch).documents[0]
    assert document.turns == []
    assert "people" not in document.metadata


def test_an_unreadable_row_names_nobody_of_the_export(monkeypatch: pytest.MonkeyPatch) -> None:
    row = conversation([turn("Anna Lindholm", "Hi")], "Anna Lindholm")
    made = made_of(monkeypatch, UnreadableRow("m.csv", 3, "no date", "Lindholm wrote"), row)
    assert re.fullmatch("<name-[0-9a-f]{6}> wrote", made.unreadable[0].excerpt)


def test_a_table_of_conversations_is_read_back_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = made_of(monkeypatch, conversation([turn("Anna", "Hi")], "Anna"))
    for documents in (made.documents, made.documents[1:]):
        rows = to_rows(documents)
        artifact = ArtifactStore(root=str(tmp_path)).publish_rows(
            dg.AssetKey(["p", "raw"]), content_hash(rows), rows=rows
        )
        assert [Document.from_row(row) for row in artifact.rows()] == [
            Document.from_row(row) for row in rows
        ]


def test_too_few_rows_name_the_count_and_what_was_left_out(tmp_path: Path) -> None:
    says = (
        r"Shares\.csv gave 9 documents, fewer than min_documents 10 \(left out: skipped_repost 2\)"
    )
    with pytest.raises(ValueError, match=says):
        run(tmp_path, [*POSTS[:9], "", ""])


@pytest.mark.parametrize("content", ["", "Date,ShareLink,ShareCommentary\n"])
def test_an_empty_export_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "Shares.csv").write_text(content)
    with pytest.raises(ValueError, match="gave 0 documents.*it is empty, export again"):
        extract(config(tmp_path / "Shares.csv"))


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("email", "m.mbox"),
        ("email_threads", "m.mbox"),
        ("linkedin_comments", "Comments.csv"),
        ("linkedin_messages", "messages.csv"),
        ("table", "t.csv"),
    ],
)
def test_every_source_refuses_an_empty_file(tmp_path: Path, source: str, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match="gave 0 documents"):
        extract(config(tmp_path / name, source=source))


@pytest.mark.parametrize("source", names("assets.extraction.sources"))
def test_every_source_refuses_a_missing_file(tmp_path: Path, source: str) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing at .*gone\.csv: put the export there"):
        extract(config(tmp_path / "gone.csv", source=source))


def test_an_unknown_source_lists_those_that_exist(tmp_path: Path) -> None:
    says = "'fax'; there are: email, email_threads, linkedin_comments, linkedin_export"
    with pytest.raises(ValidationError, match=says):
        config(tmp_path, source="fax")


def test_a_key_of_another_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="unknown key 'group_by'"):
        config(tmp_path, group_by="thread")


@pytest.mark.parametrize(
    ("sample", "options", "least"),
    [
        ("linkedin_writer/sample/Shares.csv", {}, 110),
        (
            "phishing_classifier/sample/mail.mbox",
            {
                "source": "email",
                "label_from": "gmail_labels",
                "labels": {"Phishing": "phishing", "Inbox": "safe"},
            },
            280,
        ),
        (
            "review_sentiment/sample/reviews.csv",
            {"source": "table", "text": "review", "group": "product"},
            500,
        ),
        ("semantic_search/sample/articles.jsonl", {"source": "table", "text": "body"}, 220),
        (
            "title_preferences/sample/titles.csv",
            {
                "source": "table",
                "text": "idea",
                "columns": {"answer_a": "title_a", "answer_b": "title_b"},
            },
            500,
        ),
    ],
)
def test_the_samples_are_read_whole(sample: str, options: dict[str, object], least: int) -> None:
    made = extract(config(SAMPLES / sample, **options))
    assert len(made.documents) >= least
    assert made.unreadable == []
