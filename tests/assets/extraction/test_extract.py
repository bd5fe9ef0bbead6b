from pathlib import Path

import pytest
from pydantic import ValidationError

from assets.extraction.config import ExtractionConfig
from assets.extraction.extract import Extraction, extract
from assets.records import content_hash, to_rows

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


def test_excerpts_of_unreadable_rows_name_nobody(tmp_path: Path) -> None:
    file = tmp_path / "Shares.csv"
    run(tmp_path, POSTS)
    file.write_text(file.read_text() + '2026-03-01,l,"From ida@x.example')
    (bad,) = extract(config(file)).unreadable
    assert (bad.file, bad.row) == ("Shares.csv", 42)
    assert "ida@" not in bad.excerpt
    assert "@x.example" in bad.excerpt


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


@pytest.mark.parametrize(("source", "name"), [("email", "m.mbox"), ("table", "t.csv")])
def test_every_source_refuses_an_empty_file(tmp_path: Path, source: str, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match="gave 0 documents"):
        extract(config(tmp_path / name, source=source))


@pytest.mark.parametrize("source", ["email", "linkedin_export", "table"])
def test_every_source_refuses_a_missing_file(tmp_path: Path, source: str) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing at .*gone\.csv: put the export there"):
        extract(config(tmp_path / "gone.csv", source=source))


def test_an_unknown_source_lists_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="'fax'; there are: email, linkedin_export, table"):
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
    ],
)
def test_the_samples_are_read_whole(sample: str, options: dict[str, object], least: int) -> None:
    made = extract(config(SAMPLES / sample, **options))
    assert len(made.documents) >= least
    assert made.unreadable == []
