import csv
import io
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

from assets.extraction.rows import Skipped, SourceRow
from assets.extraction.sources.linkedin_messages import Options, read
from assets.records import RawRow, UnreadableRow
from tests.assets.extraction.junk import damaged

IDA, ANNA, BEN = "Ida Brandt", "Anna Lindholm", "Ben Owusu"
URL = "https://www.linkedin.com/in/"
COLUMNS = (
    *("CONVERSATION ID", "CONVERSATION TITLE", "FROM", "SENDER PROFILE URL", "TO"),
    *("RECIPIENT PROFILE URLS", "DATE", "SUBJECT", "CONTENT", "FOLDER", "ATTACHMENTS"),
    *("IS MESSAGE DRAFT", "IS CONVERSATION DRAFT"),
)


def message(
    thread: str, sender: str, to: str, minute: int, content: str, **more: str
) -> dict[str, str]:
    sent = f"2026-03-01 08:{minute:02d}:00 UTC"
    row = {"CONVERSATION ID": thread, "FROM": sender, "TO": to, "DATE": sent, "CONTENT": content}
    return row | {name.replace("_", " "): value for name, value in more.items()}


def table(*messages: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> str:
    made = io.StringIO()
    writer = csv.DictWriter(made, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(messages)
    return made.getvalue()


def rows(folder: Path, content: str, name: str = "messages.csv", **options) -> list[SourceRow]:
    (folder / name).write_text(content, encoding="utf-8")
    return list(read(folder / name, Options(**options)))


def conversations(found: list[SourceRow]) -> list[RawRow]:
    return [row for row in found if isinstance(row, RawRow)]


def said(row: RawRow) -> list[tuple[str, str]]:
    return [(turn["speaker"], turn["text"]) for turn in row.turns]


WITH_ANNA = (  # newest first, as LinkedIn writes them
    message("c1", IDA, ANNA, 20, "Friday at four."),
    message("c1", ANNA, IDA, 10, "Could I see it on Friday?"),
    message("c1", IDA, ANNA, 5, "Not yet."),
    message("c1", ANNA, IDA, 5, "Is it sold?"),
)
WITH_BEN = (
    message("c2", BEN, IDA, 30, "Thanks!"),
    message("c2", IDA, BEN, 25, "The slides are here."),
)


def test_a_conversation_is_one_row_whose_oldest_message_comes_first(tmp_path: Path) -> None:
    first, second = conversations(rows(tmp_path, table(*WITH_ANNA, *WITH_BEN)))
    assert said(first) == [
        (ANNA, "Is it sold?"),
        ("owner", "Not yet."),
        (ANNA, "Could I see it on Friday?"),
        ("owner", "Friday at four."),
    ]
    assert first.turns[0]["date"] == first.metadata["date"] == "2026-03-01 08:05:00"
    assert first.text.startswith(f"{ANNA}: Is it sold?\n\nowner: Not yet.")
    assert (first.group, first.people) == ("c1", (ANNA, IDA))
    assert first.metadata["owner"] == IDA
    assert said(second) == [("owner", "The slides are here."), (BEN, "Thanks!")]


def test_the_order_of_the_file_decides_between_messages_of_one_second(tmp_path: Path) -> None:
    (first,) = conversations(rows(tmp_path, table(*reversed(WITH_ANNA)), owner=IDA))
    assert [text for _, text in said(first)][:2] == ["Is it sold?", "Not yet."]


def test_the_owner_may_be_called_you(tmp_path: Path) -> None:
    found = table(
        message("c1", "You", ANNA, 20, "Not yet."), message("c1", ANNA, "You", 10, "Sold?")
    )
    (row,) = conversations(rows(tmp_path, found))
    assert said(row) == [(ANNA, "Sold?"), ("owner", "Not yet.")]
    assert row.people == (ANNA,)


def test_profiles_that_differ_in_case_and_query_are_one_person(tmp_path: Path) -> None:
    def ida(sender: str, url: str, thread: str, other: str) -> tuple[dict[str, str], ...]:
        profile = {"SENDER_PROFILE_URL": url}
        return (
            message(thread, sender, other, 20, "Not yet.", **profile),
            message(thread, other, IDA, 10, "Sold?", RECIPIENT_PROFILE_URLS=f"{URL}ida-b"),
        )

    found = table(
        *ida("Ida Brandt, PhD", "https://de.LinkedIn.com/in/Ida-B/?trk=x", "c1", ANNA),
        *ida(IDA, f"{URL}ida-b", "c2", BEN),
    )
    assert [said(row)[1][0] for row in conversations(rows(tmp_path, found))] == ["owner", "owner"]


def test_a_group_names_all_its_recipients(tmp_path: Path) -> None:
    found = table(
        message("g", IDA, f"{ANNA}, {BEN}", 30, "Eggs."),
        message("g", BEN, f"{IDA}, {ANNA}", 20, "Eggs?"),
        message("g", ANNA, f"{IDA}, {BEN}", 10, "A theme?", CONVERSATION_TITLE="Breakfast"),
        *WITH_ANNA,
        *WITH_BEN,
    )
    row = conversations(rows(tmp_path, found))[0]
    assert said(row) == [(ANNA, "A theme?"), (BEN, "Eggs?"), ("owner", "Eggs.")]
    assert row.people == (ANNA, BEN, IDA)
    assert row.metadata["title"] == "Breakfast"


@pytest.mark.parametrize("owner", [IDA, "ida  brandt", f"{URL}ida-b?x=1"])
def test_the_owner_may_be_named(tmp_path: Path, owner: str) -> None:
    profile = {"SENDER_PROFILE_URL": f"{URL}Ida-B"}
    found = [row | (profile if row["FROM"] == IDA else {}) for row in WITH_ANNA]
    found = [{k.replace("_", " "): v for k, v in row.items()} for row in found]
    (row,) = conversations(rows(tmp_path, table(*found), owner=owner))
    assert said(row)[1] == ("owner", "Not yet.")


def test_an_owner_whom_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"owner 'Ida' neither sent nor received .* spell it as"):
        rows(tmp_path, table(*WITH_ANNA), owner="Ida")


def test_one_conversation_of_two_does_not_tell_who_the_owner_is(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Set extraction.owner to the owner's name or profile"):
        rows(tmp_path, table(*WITH_ANNA))


def test_the_profile_beside_the_messages_names_the_owner(tmp_path: Path) -> None:
    (tmp_path / "Profile.csv").write_text("First Name,Last Name,Headline\nIda,Brandt,x\n")
    for path in (tmp_path, tmp_path / "messages.csv"):
        rows(tmp_path, table(*WITH_ANNA))
        (row,) = conversations(list(read(path, Options())))
        assert said(row)[1] == ("owner", "Not yet.")


def test_what_is_no_conversation_is_left_out_by_reason(tmp_path: Path) -> None:
    found = rows(
        tmp_path,
        table(
            *WITH_ANNA,
            *WITH_BEN,
            message("c1", IDA, ANNA, 21, "An unfinished", IS_MESSAGE_DRAFT="Yes"),
            message("c3", IDA, ANNA, 21, "Another", IS_CONVERSATION_DRAFT="true"),
            message("c4", "Sell More Ltd", IDA, 22, "<p>Ida, 40 % off!</p>"),
            message("c5", "", IDA, 22, "A sponsored message"),
            message("c6", IDA, "Carol Field", 23, "Hello? Nobody answers."),
            message("c7", "Crook", IDA, 24, "Win!", FOLDER="SPAM"),
            message("c1", ANNA, IDA, 24, "", ATTACHMENTS="https://media.example/1"),
        ),
    )
    assert len(conversations(found)) == 2
    assert Counter(row.reason for row in found if isinstance(row, Skipped)) == {
        "draft": 2,
        "one_sided": 2,
        "no_sender": 1,
        "spam": 1,
        "no_words": 1,
    }


def test_html_becomes_text_and_what_only_looks_like_it_stays(tmp_path: Path) -> None:
    found = table(
        message("c1", IDA, ANNA, 20, "a < b, I <3 it &amp; more\nnext"),
        message("c1", ANNA, IDA, 10, "<p>Hello&nbsp;Ida,</p><p>is it <b>sold</b>?<br>Anna</p>"),
    )
    (row,) = conversations(rows(tmp_path, found, owner=IDA))
    assert [text for _, text in said(row)] == [
        "Hello Ida,\n\nis it sold?\nAnna",
        "a < b, I <3 it & more\nnext",
    ]


def test_a_range_of_days_is_kept(tmp_path: Path) -> None:
    old = [row | {"DATE": "2025-12-31 23:00:00 UTC"} for row in WITH_BEN]
    found = rows(tmp_path, table(*WITH_ANNA, *old), since="2026-01-01", until="2026-03-01")
    assert [row.group for row in conversations(found)] == ["c1"]
    assert found.count(Skipped("out_of_range")) == 2
    with pytest.raises(ValidationError, match="since 2026-02-01 is after until 2026-01-01"):
        Options.model_validate({"since": "2026-02-01", "until": "2026-01-01"})


def test_a_row_that_cannot_be_placed_is_kept_with_its_reason(tmp_path: Path) -> None:
    found = rows(
        tmp_path,
        table(
            message("", ANNA, IDA, 1, "Lost"),
            message("c1", ANNA, IDA, 1, "When?") | {"DATE": "someday"},
            *WITH_ANNA,
            *WITH_BEN,
        ),
    )
    assert [row for row in found if isinstance(row, UnreadableRow)] == [
        UnreadableRow("messages.csv", 2, "no CONVERSATION ID", "Lost"),
        UnreadableRow("messages.csv", 3, "DATE 'someday' is no date", "When?"),
    ]


def test_headers_vary_in_case_spaces_notes_and_columns(tmp_path: Path) -> None:
    few = ("CONVERSATION ID", "FROM", "TO", "DATE", "CONTENT")
    header, _, body = table(*WITH_ANNA, *WITH_BEN, columns=few).partition("\r\n")
    spaced = "\ufeffNotes:\n\n" + header.title().replace(",", " , ") + "\r\n" + body
    assert len(conversations(rows(tmp_path, spaced))) == 2


def test_without_the_needed_columns_the_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no column 'CONVERSATION ID'; its first row is: FROM"):
        rows(tmp_path, "FROM,DATE,CONTENT\na,b,c\n")


def test_the_same_message_in_two_parts_of_an_export_is_one(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
        for part in ("Messages.csv", "part 2/messages_2.csv"):
            archive.writestr(part, table(*WITH_ANNA, *WITH_BEN))
        archive.writestr("learning_coach_messages.csv", "no,messages\n")
    found = conversations(list(read(tmp_path / "e.zip", Options())))
    assert [len(row.turns) for row in found] == [4, 2]


def test_a_folder_without_messages_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "Shares.csv").write_text("")
    with pytest.raises(ValueError, match=r"no messages\.csv but: Shares\.csv.*“Messages”"):
        list(read(tmp_path, Options()))


def test_damaged_tables_are_read_or_refused_with_a_reason(tmp_path: Path) -> None:
    whole = table(*WITH_ANNA, *WITH_BEN).encode()
    for content in damaged(whole):
        (tmp_path / "messages.csv").write_bytes(content)
        try:
            found = list(read(tmp_path / "messages.csv", Options()))
        except ValueError as error:
            assert "column" in str(error) or "extraction.owner" in str(error)
        else:
            assert all(row.turns for row in conversations(found))
