from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

from assets.extraction.mail.addresses import Mailbox, mailboxes
from assets.extraction.mail.threads import message_ids, threads
from assets.extraction.rows import Skipped, SourceRow
from assets.extraction.sources.email_threads import Options, read
from assets.records import RawRow, UnreadableRow
from tests.assets.extraction.junk import damaged

FROM = "From 18@xxx Mon Mar 02 08:10:00 +0000 2026\n"
IDA, ANNA, BEN = (
    "Ida Brandt <ida@harbour.example>",
    '"Lindholm, Anna" <Anna@x.example>',
    "ben@y.example",
)


def mail(id: str, sender: str, to: str, minute: int, body: str, **headers: str) -> str:
    more = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in headers.items())
    date = f"Mon, 02 Mar 2026 08:{minute:02d}:00 +0000"
    return (
        f"Message-ID: <{id}@m>\nFrom: {sender}\nTo: {to}\nDate: {date}\nSubject: Boat\n"
        f"{more}\n{body}\n\n"
    )


QUESTION = mail("a", ANNA, IDA, 1, "Is it sold?")
ANSWER = mail("b", IDA, ANNA, 2, "Not yet.\n\nOn Monday, Anna wrote:\n> Is it sold?\n-- \nIda",
              In_Reply_To="<a@m>")  # fmt: skip
AGAIN = mail("c", ANNA, IDA, 3, "A pity.", References="<a@m> <b@m>")
OTHER = mail("d", BEN, IDA, 4, "Lunch?") + FROM + mail("e", IDA, BEN, 5, "Yes.", References="<d@m>")


def rows(folder: Path, *mails: str, **options) -> list[SourceRow]:
    (folder / "m.mbox").write_text("".join(FROM + text for text in mails), encoding="utf-8")
    return list(read(folder / "m.mbox", Options(**options)))


def conversations(found: list[SourceRow]) -> list[RawRow]:
    return [row for row in found if isinstance(row, RawRow)]


def said(row: RawRow) -> list[tuple[str, str]]:
    return [(turn["speaker"], turn["text"]) for turn in row.turns]


def test_a_thread_is_one_row_of_own_words_in_the_order_of_its_dates(tmp_path: Path) -> None:
    first, second = conversations(rows(tmp_path, AGAIN, ANSWER, OTHER, QUESTION))
    assert said(first) == [
        ("Lindholm, Anna", "Is it sold?"),
        ("owner", "Not yet."),
        ("Lindholm, Anna", "A pity."),
    ]
    assert first.people == ("Ida Brandt", "Lindholm, Anna")
    assert first.group == "a@m"
    assert first.metadata == {
        "owner": "Ida Brandt",
        "subject": "Boat",
        "date": "2026-03-02 08:01:00",
    }
    assert said(second) == [(BEN, "Lunch?"), ("owner", "Yes.")]


def test_mails_whose_parent_is_missing_are_one_thread(tmp_path: Path) -> None:
    one = mail("b", ANNA, IDA, 2, "So?", References="<gone@m>")
    two = mail("c", IDA, ANNA, 3, "So.", In_Reply_To="<gone@m>")
    (row,) = conversations(rows(tmp_path, one, two, owner=["ida@harbour.example"]))
    assert (len(row.turns), row.group) == (2, "gone@m")


def test_a_thread_keeps_its_group_when_it_grows_or_loses_its_first_mail(tmp_path: Path) -> None:
    owner = ["ida@harbour.example"]
    whole = conversations(rows(tmp_path, QUESTION, ANSWER, AGAIN, owner=owner))
    later = conversations(rows(tmp_path, ANSWER, AGAIN, owner=owner))
    assert [row.group for row in whole] == [row.group for row in later]


def test_references_in_a_circle_and_to_itself_end(tmp_path: Path) -> None:
    one = mail("a", ANNA, IDA, 1, "One", References="<b@m> <a@m>")
    two = mail("b", IDA, ANNA, 2, "Two", References="<a@m> <b@m>")
    assert len(conversations(rows(tmp_path, one, two, owner=["ida@harbour.example"]))) == 1


def test_one_subject_makes_no_thread(tmp_path: Path) -> None:
    found = rows(tmp_path, QUESTION, mail("z", IDA, ANNA, 2, "Not that."), owner=["anna@x.example"])
    assert found == [Skipped("one_sided"), Skipped("one_sided")]


def test_the_sent_folder_tells_the_owner(tmp_path: Path) -> None:
    for name, content in [("Inbox/cur/1", QUESTION), (".Sent/cur/2:2,S", ANSWER)]:
        file = tmp_path / "box" / name
        file.parent.mkdir(parents=True)
        file.write_text(content)
    (row,) = conversations(list(read(tmp_path / "box", Options())))
    assert said(row)[1][0] == "owner"


def test_a_sent_label_tells_the_owner_and_each_of_the_addresses(tmp_path: Path) -> None:
    answer = mail("b", "Ida <ida@home.example>", ANNA, 2, "Yes.", In_Reply_To="<a@m>",
                  X_Gmail_Labels="=?utf-8?q?Sent,Opened?=")  # fmt: skip
    (row,) = conversations(rows(tmp_path, QUESTION, answer))
    assert said(row)[1][0] == "owner"
    assert row.people == ("Ida", "Ida Brandt", "Lindholm, Anna")


def test_a_mail_that_lies_in_two_folders_is_one_turn(tmp_path: Path) -> None:
    (row,) = conversations(rows(tmp_path, QUESTION, ANSWER, ANSWER, owner=["IDA@harbour.example"]))
    assert len(row.turns) == 2


def test_who_is_in_most_threads_is_the_owner_and_a_tie_is_refused(tmp_path: Path) -> None:
    assert said(conversations(rows(tmp_path, QUESTION, ANSWER, OTHER))[0])[1][0] == "owner"
    with pytest.raises(ValueError, match=r"none lies in Sent.*Set extraction\.owner: \[address"):
        rows(tmp_path, QUESTION, ANSWER)


def test_an_owner_who_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"owner x@y\.example wrote and got none of these mails"):
        rows(tmp_path, QUESTION, ANSWER, owner=["x@y.example"])
    with pytest.raises(ValidationError, match="'Ida' is no address"):
        Options(owner=("Ida",))


def test_a_mail_without_a_date_follows_the_one_that_it_answers(tmp_path: Path) -> None:
    undated = ANSWER.replace("Date:", "X-Date:")
    (row,) = conversations(rows(tmp_path, undated, AGAIN, QUESTION, owner=["ida@harbour.example"]))
    assert [text for _, text in said(row)] == ["Is it sold?", "Not yet.", "A pity."]


def test_what_is_no_turn_is_counted_or_kept_with_its_reason(tmp_path: Path) -> None:
    quoted = mail("f", ANNA, IDA, 6, "> only quoted", References="<a@m>")
    nobody = mail("g", "nobody", IDA, 7, "Hello")
    news = mail("h", "News <news@z.example>", IDA, 8, "Buy")
    junk = bytes(range(128, 256)).decode("latin-1") + "\n"
    found = rows(tmp_path, QUESTION, ANSWER, OTHER, quoted, nobody, news, junk)
    assert Counter(r.reason for r in found if isinstance(r, Skipped)) == {
        "no_words": 1,
        "one_sided": 1,
    }
    assert [(r.row, r.reason) for r in found if isinstance(r, UnreadableRow)] == [
        (6, "no address in From"),
        (8, "no mail: there are no headers, it is binary or was cut"),
    ]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ('"Lindholm, Anna" <A@x.example>', [("a@x.example", "Lindholm, Anna")]),
        ("Lindholm, Anna <a@x.example>", [("a@x.example", "Lindholm, Anna")]),
        ("a@x.example (Anna), b@y.example", [("a@x.example", "Anna"), ("b@y.example", "")]),
        ("=?utf-8?q?J=C3=B6rg?= <j@x.example>;", [("j@x.example", "Jörg")]),
        ("Team: Anna <a@x.example>;", [("a@x.example", "Anna")]),
        ('"a@x.example" <a@x.example>', [("a@x.example", "")]),
        ("undisclosed-recipients:;", []),
        ('"' * 9000, []),
    ],
)
def test_mailboxes_are_read_from_headers_as_they_come(
    value: str, found: list[tuple[str, str]]
) -> None:
    assert mailboxes({"to": value}, "to", "cc") == [Mailbox(*box) for box in found]


def test_message_ids_are_found_among_other_words() -> None:
    assert message_ids({"in-reply-to": "Your message of Monday <a@m>"}, "in-reply-to") == ["a@m"]
    assert message_ids({"references": "a@m\tb@m"}, "references") == ["a@m", "b@m"]


def test_a_thread_of_100_000_mails_is_joined() -> None:
    ids = [[f"m{n}", f"m{n - 1}"] for n in range(100_000)]
    assert threads(ids) == [list(range(100_000))]


def test_damaged_boxes_are_read_or_refused_with_a_reason(tmp_path: Path) -> None:
    whole = "".join(FROM + text for text in (QUESTION, ANSWER, AGAIN, OTHER)).encode()
    for content in damaged(whole):
        (tmp_path / "m.mbox").write_bytes(content)
        try:
            found = list(read(tmp_path / "m.mbox", Options()))
        except ValueError as error:
            assert "extraction.owner" in str(error)
        else:
            assert all(len(row.turns) > 1 for row in conversations(found))
