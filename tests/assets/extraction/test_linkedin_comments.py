from pathlib import Path

import pytest

from assets.extraction.rows import Skipped, SourceRow
from assets.extraction.sources.linkedin_comments import Options, post_of, read
from assets.records import RawRow, UnreadableRow
from tests.assets.extraction.junk import damaged

HEADER = "Date,Link,Message\n"
POST = "https://www.linkedin.com/feed/update/urn%3Ali%3Ashare%3A733"
SAME_POST = (
    "https://www.linkedin.com/feed/update/urn:li:share:733?commentUrn=urn%3Ali%3Acomment%3A1"
)


def comment(text: str, link: str = POST, date: str = "2026-03-02 08:10:00") -> str:
    return f'{date},{link},"{text}"\n'


def rows(folder: Path, content: str, path: str = "Comments.csv") -> list[SourceRow]:
    (folder / "Comments.csv").write_text(content, encoding="utf-8")
    return list(read(folder / path, Options()))


def test_a_comment_is_a_row_and_its_post_the_group(tmp_path: Path) -> None:
    assert rows(tmp_path, HEADER + comment("Same here: prune &amp; sleep.")) == [
        RawRow(
            "Same here: prune & sleep.",
            "urn:li:share:733",
            "Comments.csv, row 2",
            {"owner": "", "date": "2026-03-02 08:10:00"},
        )
    ]


@pytest.mark.parametrize(
    ("link", "post"),
    [
        (POST, "urn:li:share:733"),
        (SAME_POST, "urn:li:share:733"),
        ("https://l.example/feed/update/urn:li:ugcPost:9/", "urn:li:ugcpost:9"),
        ("https://l.example/pulse/a-title/?trk=1", "https://l.example/pulse/a-title"),
        ("", ""),
    ],
)
def test_links_to_one_post_give_one_group(link: str, post: str) -> None:
    assert post_of(link) == post


@pytest.mark.parametrize("path", ["Comments.csv", "."])
def test_a_post_of_the_same_export_is_the_first_turn(tmp_path: Path, path: str) -> None:
    posts = f'Date,ShareLink,ShareCommentary\n2026-03-01 08:00:00,{POST},"One""\n""two"\n'
    (tmp_path / "Shares.csv").write_text(posts)
    (tmp_path / "Profile.csv").write_text("First Name,Last Name\nIda,Brandt\n")
    content = HEADER + comment("More:", SAME_POST) + comment("Hi", "https://l.example/2")
    first, second = rows(tmp_path, content, path)
    assert isinstance(first, RawRow)
    assert isinstance(second, RawRow)
    assert [(turn["speaker"], turn["text"]) for turn in first.turns] == [
        ("owner", "One\ntwo"),
        ("owner", "More:"),
    ]
    assert first.text == "owner: One\ntwo\n\nowner: More:"
    assert first.people == second.people == ("Ida Brandt",)
    assert (second.text, second.turns) == ("Hi", [])


def test_comments_without_words_are_skipped_and_without_a_date_kept(tmp_path: Path) -> None:
    content = HEADER + comment("") + comment("https://lnkd.in/a") + comment("Hi", date="soon")
    assert rows(tmp_path, content) == [
        Skipped("no_words"),
        Skipped("only_link"),
        UnreadableRow("Comments.csv", 4, "Date 'soon' is no date", "Hi"),
    ]


def test_an_export_without_comments_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "Shares.csv").write_text("")
    with pytest.raises(ValueError, match=r"holds no Comments\.csv but: Shares\.csv"):
        list(read(tmp_path, Options()))


def test_damaged_tables_are_read_or_refused_with_a_reason(tmp_path: Path) -> None:
    whole = (HEADER + comment("one") + comment('two ""quoted""') + comment("a\nb")).encode()
    for content in damaged(whole):
        (tmp_path / "Comments.csv").write_bytes(content)
        try:
            list(read(tmp_path / "Comments.csv", Options()))
        except ValueError as error:
            assert "no column" in str(error)
