import os
import zipfile
from pathlib import Path

import pytest

from assets.extraction.linkedin import unwrap_line_breaks
from assets.extraction.rows import Skipped, SourceRow
from assets.extraction.sources.linkedin_export import Options, read
from assets.records import RawRow, UnreadableRow

HEADER = "Date,ShareLink,ShareCommentary,SharedUrl,MediaUrl,Visibility\n"


def post(text: str, number: int = 1, end: str = ",,,MEMBER_NETWORK\n") -> str:
    return f'2026-03-0{number} 08:10:00,https://l.example/{number},"{text}"{end}'


def rows(
    tmp_path: Path, content: str | bytes, name: str = "Shares.csv", **options
) -> list[SourceRow]:
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read(file, Options(**options)))


def texts(found: list[SourceRow]) -> list[str]:
    return [row.text for row in found if isinstance(row, RawRow)]


def test_a_post_has_its_link_as_group_and_its_date(tmp_path: Path) -> None:
    assert rows(tmp_path, HEADER + post("Hello")) == [
        RawRow("Hello", "https://l.example/1", "Shares.csv, row 2", {"date": "2026-03-01 08:10:00"})
    ]


def test_wrapped_line_breaks_are_undone_and_real_ones_stay(tmp_path: Path) -> None:
    content = HEADER + post('one""\n""""\n""two ""quoted""""\n""three') + post("a\nb", 2)
    assert texts(rows(tmp_path, content)) == ['one\n\ntwo "quoted"\nthree', "a\nb"]


def test_a_quotation_under_another_is_no_wrapped_break() -> None:
    text = 'Intro:\n"yes"\n"no"\nend'
    assert unwrap_line_breaks(text) == text
    assert unwrap_line_breaks('a"\n"b"\n"c\nd') == "a\nb\nc\nd"


def test_quotes_may_be_escaped_by_a_backslash(tmp_path: Path) -> None:
    content = HEADER + post(r"He said \"hi\" to C:\new") + post('one\\"\n\\"two', 2)
    assert texts(rows(tmp_path, content)) == ['He said "hi" to C:\\new', "one\ntwo"]


def test_reposts_and_bare_links_are_skipped_by_reason(tmp_path: Path) -> None:
    content = HEADER + post("") + post("https://lnkd.in/x", 2) + post("Words https://lnkd.in/x", 3)
    found = rows(tmp_path, content)
    assert found[:2] == [Skipped("repost"), Skipped("only_link")]
    assert len(texts(found)) == 1


def test_notes_a_byte_order_mark_and_spaces_surround_the_header(tmp_path: Path) -> None:
    header = '\ufeffNotes:\n"Posts, and so on"\n\n Date , ShareLink , sharecommentary \n'
    found = rows(tmp_path, header + "2026-03-01,https://l.example/1,Hello\n")
    assert found == [
        RawRow("Hello", "https://l.example/1", "Shares.csv, row 5", {"date": "2026-03-01"})
    ]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le", "utf-8-sig", "cp1252"])
def test_every_usual_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    content = (HEADER + post("Café in Köln")).encode(encoding)
    assert texts(rows(tmp_path, content)) == ["Café in Köln"]


def test_a_broken_byte_costs_one_character_not_all_others(tmp_path: Path) -> None:
    content = (HEADER + post("👍" * 20 + "é!")).encode().replace(b"\xc3\xa9", b"\xc3")
    assert texts(rows(tmp_path, content)) == ["👍" * 20 + "\ufffd!"]


def test_a_file_cut_in_a_row_keeps_the_rows_before(tmp_path: Path) -> None:
    content = HEADER + post("whole") + post("half a po", 2)[:50]
    whole, cut = rows(tmp_path, content)
    assert isinstance(whole, RawRow)
    assert isinstance(cut, UnreadableRow)
    assert (cut.file, cut.row) == ("Shares.csv", 3)
    assert "ends in the middle" in cut.reason


def test_a_last_row_without_a_line_break_is_whole(tmp_path: Path) -> None:
    assert len(texts(rows(tmp_path, HEADER + post("a") + post("b", 2).rstrip("\n")))) == 2


def test_a_post_longer_than_pythons_limit_is_read(tmp_path: Path) -> None:
    assert len(texts(rows(tmp_path, HEADER + post("x" * 200_000)))[0]) == 200_000


def test_other_columns_are_mapped(tmp_path: Path) -> None:
    columns = {"text": "body", "id": "url", "date": "when", "idea": "idea"}
    found = rows(
        tmp_path, "body,url,when,idea\nHello,u1,2026,greeting\n", "mine.csv", columns=columns
    )
    assert found == [RawRow("Hello", "u1", "mine.csv, row 2", {"date": "2026", "idea": "greeting"})]


def test_a_missing_column_lists_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no column 'ShareCommentary'; its first row is: a, b"):
        rows(tmp_path, "a,b\n1,2\n")


@pytest.mark.parametrize("folder", [True, False])
def test_the_table_is_found_in_a_folder_and_in_a_zip(tmp_path: Path, folder: bool) -> None:
    export = tmp_path / "export"
    (export / "Basic").mkdir(parents=True)
    (export / "Basic" / "shares_17529409.CSV").write_text(HEADER + post("Hello"))
    (export / "Comments.csv").write_text("Date,Link,Message\n")
    if not folder:
        with zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
            for file in export.rglob("*.*"):
                archive.write(file, str(file.relative_to(export)))
        export = tmp_path / "e.zip"
    assert texts(list(read(export, Options()))) == ["Hello"]


def test_a_folder_without_posts_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "Profile.csv").write_text("")
    with pytest.raises(ValueError, match=r"holds no Shares\.csv but: Profile\.csv"):
        list(read(tmp_path, Options()))


@pytest.mark.parametrize(
    "name", ["../Shares.csv", "/Shares.csv", "a\\..\\Shares.csv", "C:/Shares.csv"]
)
def test_a_zip_that_climbs_out_is_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
        archive.writestr("Shares.csv", HEADER)
        archive.writestr(name, "x")
    with pytest.raises(ValueError, match="climbs out of the zip"):
        list(read(tmp_path / "e.zip", Options()))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "e.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Shares.csv", b"0" * 3_000_000)
    assert (tmp_path / "e.zip").stat().st_size < 10_000
    with pytest.raises(ValueError, match="3 MB of Shares.csv, more than max_unpacked_megabytes 1"):
        list(read(tmp_path / "e.zip", Options(max_unpacked_megabytes=1)))


def test_half_a_zip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no whole zip file: download the export again"):
        rows(tmp_path, b"PK\x03\x04 half", "e.zip")


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
        archive.writestr("Shares.csv", HEADER + post("Hello"))
    content = (tmp_path / "e.zip").read_bytes()
    with pytest.raises(ValueError, match=r"e\.zip is damaged .*download the export again"):
        rows(tmp_path, content.replace(b"Hello", b"Jello"), "e.zip")


@pytest.mark.real_data
def test_the_real_posts_keep_their_line_breaks() -> None:
    path = (
        Path(os.environ.get("TUNELINE_REAL_DATA", "../shared/data")) / "linkedin_posts/LI_posts.csv"
    )
    if not path.exists():
        pytest.skip(f"no real data at {path}: set TUNELINE_REAL_DATA")
    found = list(read(path, Options()))
    posts = texts(found)
    assert sum("\n" in text for text in posts) >= 638
    assert not any('"\n"' in text for text in posts)
    assert found.count(Skipped("repost")) == 17
