import base64
import time
import tracemalloc
from pathlib import Path

import pytest
from pydantic import ValidationError

from assets.extraction.rows import SourceRow
from assets.extraction.sources.email import Options, read
from assets.records import RawRow, UnreadableRow

HEAD = "From: Ida <ida@mail.harbour.example>\nDate: Mon, 02 Mar 2026 08:10:00 +0000\n"
FROM = "From 18@xxx Mon Mar 02 08:10:00 +0000 2026\n"
GMAIL = Options(label_from="gmail_labels", labels={"Phishing": "phishing", "Inbox": "safe"})


def mail(body: str = "Hello there.", subject: str = "Hi", **headers: str) -> str:
    more = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in headers.items())
    return f"{HEAD}Subject: {subject}\n{more}\n{body}\n"


def rows(
    folder: Path, content: str | bytes, name: str = "m.eml", options: Options | None = None
) -> list[SourceRow]:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read(file, options or Options()))


def one(found: list[SourceRow]) -> RawRow:
    assert len(found) == 1
    assert isinstance(found[0], RawRow)
    return found[0]


def test_a_mail_becomes_its_body_and_its_metadata(tmp_path: Path) -> None:
    row = one(rows(tmp_path, mail("See https://a.example/x.", "=?utf-8?q?Gr=C3=BC=C3=9Fe?=")))
    assert row.text == "See https://a.example/x."
    assert row.origin == "m.eml, mail 1"
    assert row.metadata == {
        "subject": "Grüße",
        "links": "https://a.example/x",
        "from_domain": "mail.harbour.example",
        "date": "2026-03-02 08:10:00",
        "attachments": "0",
    }


def test_an_mbox_is_split_at_its_separators_and_unquoted(tmp_path: Path) -> None:
    first = mail(">From here on it is quoted.\n>>From twice.\nFrom what I hear, no.")
    content = (
        FROM + first + "\n" + FROM + mail("Second.").replace("\n", "\r\n") + "\n" + FROM + mail("3")
    )
    texts = [row.text for row in rows(tmp_path, content, "m.mbox") if isinstance(row, RawRow)]
    assert texts[0].splitlines()[0] == "From here on it is quoted."
    assert texts[0].endswith("From what I hear, no.")
    assert texts[1:] == ["Second.", "3"]


def test_a_maildir_and_a_folder_of_files_are_read_by_name(tmp_path: Path) -> None:
    for name in ("cur/2:2,S", "new/1", ".Spam/cur/3", "tmp/9", "x/4.eml"):
        rows(tmp_path / "box", mail(name), name)
    found = [row for row in read(tmp_path / "box", Options()) if isinstance(row, RawRow)]
    assert [row.text for row in found] == [".Spam/cur/3", "cur/2:2,S", "new/1", "x/4.eml"]
    assert found[0].origin == "box/.Spam/cur/3, mail 1"


def test_of_two_texts_the_plain_is_read_and_the_html_gives_the_links(tmp_path: Path) -> None:
    body = (
        'This is MIME.\n--b1\nContent-Type: multipart/alternative; boundary="b2"\n\n'
        "--b2\nContent-Type: text/plain; charset=utf-8\n"
        "Content-Transfer-Encoding: quoted-printable\n\n"
        "Caf=C3=A9: http://evil.ex=\nample/x\n"
        "--b2\nContent-Type: text/html\n\n"
        '<p>Caf&eacute;: <a href="http://evil.example/x">bank.example</a></p>\n'
        "--b2--\n--b1\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\n"
        "--b1\nContent-Type: application/pdf\n\nJVBERi0=\n--b1--\nepilogue"
    )
    row = one(rows(tmp_path, mail(body, Content_Type='multipart/mixed; boundary="b1"')))
    assert row.text == "Café: http://evil.example/x"
    assert row.metadata["links"] == "bank.example -> http://evil.example/x"
    assert row.metadata["attachments"] == "2"


def test_a_bounce_keeps_its_notice_and_not_the_mail_it_returns(tmp_path: Path) -> None:
    returned = "Content-Type: message/rfc822\n\nSubject: x\n\nlost"
    body = f"--b\n\nCould not deliver.\n--b\n{returned}\n--b--\n"
    row = one(rows(tmp_path, mail(body, Content_Type="multipart/report; boundary=b")))
    assert (row.text, row.metadata["attachments"]) == ("Could not deliver.", "1")


def test_flowed_lines_are_joined(tmp_path: Path) -> None:
    body = "A long \nline that flows.\nNext.\n> quoted \n> away\n-- \nIda"
    row = one(rows(tmp_path, mail(body, Content_Type="text/plain; format=flowed")))
    assert row.text == "A long line that flows.\nNext."


@pytest.mark.parametrize(
    ("labels", "label"),
    [
        ("Inbox,Phishing", "phishing"),
        ("=?utf-8?q?Inbox,=22a,_Phishing=22?=", "safe"),
        ('"Inbox","Category: \\"x\\""', "safe"),
        ("inbox", "safe"),
    ],
)
def test_the_first_label_of_the_mapping_that_a_mail_has_is_its_class(
    tmp_path: Path, labels: str, label: str
) -> None:
    row = one(rows(tmp_path, mail(X_Gmail_Labels=labels), options=GMAIL))
    assert row.metadata["label"] == label


@pytest.mark.parametrize("name", ["d/phishing-001.eml", "Phishing.mbox", "d/.Phishing/cur/1"])
def test_the_files_name_or_folder_may_be_the_label(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text((FROM if name.endswith("mbox") else "") + mail())
    options = Options(label_from="file_name", labels={"phishing": "bad", "safe": "good"})
    path = tmp_path / "d" if name.startswith("d/") else file
    assert one(list(read(path, options))).metadata["label"] == "bad"


def test_a_mail_without_a_label_that_maps_is_kept_with_the_reason(tmp_path: Path) -> None:
    found = rows(tmp_path, mail(subject="Offer", X_Gmail_Labels="Sent"), options=GMAIL)
    reason = "no label in X-Gmail-Labels; labels maps: Phishing, Inbox"
    assert found == [UnreadableRow("m.eml", 1, reason, "Offer")]


def test_labels_without_a_source_are_refused() -> None:
    with pytest.raises(ValidationError, match="label_from and labels go together"):
        Options(labels={"Inbox": "safe"})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "no text in the body; attachments: 0"),
        ("> only\n> quoted", "no words of its own"),
        ("ab\x00\x01\x02\x03", "the body is binary"),
    ],
)
def test_a_mail_without_a_body_is_kept_with_the_reason(
    tmp_path: Path, body: str, reason: str
) -> None:
    (found,) = rows(tmp_path, mail(body))
    assert isinstance(found, UnreadableRow)
    assert found.reason.startswith(reason)


def test_binary_junk_in_an_mbox_is_kept_and_the_good_mails_go_on(tmp_path: Path) -> None:
    junk = bytes(range(256)) * 40
    box = FROM.encode() + mail("One.").encode() + b"\n" + FROM.encode() + junk + b"\n"
    found = rows(tmp_path, junk + b"\n" + box + FROM.encode() + mail("Two.").encode(), "m.mbox")
    assert [type(row) for row in found] == [UnreadableRow, RawRow, UnreadableRow, RawRow]
    assert isinstance(found[0], UnreadableRow)
    assert found[0].reason == "no mail: there are no headers, it is binary or was cut"


def test_a_mail_of_20_mb_is_read_in_bounded_memory_and_fast(tmp_path: Path) -> None:
    pdf = base64.encodebytes(b"\x00pdf" * 3_750_000).decode()
    body = f"--b\n\nSee the file.\n--b\nContent-Type: application/pdf\n\n{pdf}\n--b--\n"
    content = (
        FROM + mail(body, Content_Type="multipart/mixed; boundary=b") + "\n" + FROM + mail("Next.")
    )
    (tmp_path / "m.mbox").write_text(content)
    tracemalloc.start()
    started = time.process_time()
    found = list(read(tmp_path / "m.mbox", Options()))
    seconds, peak = time.process_time() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(content) > 20_000_000
    assert [row.text for row in found if isinstance(row, RawRow)] == ["See the file.", "Next."]
    assert peak < 2_000_000
    assert seconds < 2


def test_a_text_of_20_mb_is_cut_and_says_so(tmp_path: Path) -> None:
    row = one(rows(tmp_path, mail("words and more\n" * 1_400_000)))
    assert len(row.text) < 2_100_000
    assert row.metadata["cut"] == "only the first 2 MB of the text"


def test_headers_that_sink_the_standard_parser_do_no_harm(tmp_path: Path) -> None:
    row = one(rows(tmp_path, mail(To="(" * 5000, Content_Type="multipart/mixed; boundary")))
    assert row.text == "Hello there."


@pytest.mark.parametrize(
    ("headers", "group_by", "group"),
    [
        ({"X_GM_THRID": "77", "References": "<a> <b>"}, "thread", "77"),
        ({"References": "<a> <b>", "In_Reply_To": "<b>", "Message_ID": "<c>"}, "thread", "<a>"),
        ({"Message_ID": "<c>"}, "thread", "<c>"),
        ({}, "sender", "ida@mail.harbour.example"),
        ({}, "domain", "harbour.example"),
    ],
)
def test_what_belongs_together_has_one_group(
    tmp_path: Path, headers: dict[str, str], group_by: str, group: str
) -> None:
    options = Options.model_validate({"group_by": group_by})
    assert one(rows(tmp_path, mail(**headers), options=options)).group == group


def test_senders_of_a_shared_provider_are_apart(tmp_path: Path) -> None:
    options = Options(group_by="domain", shared_domains=("harbour.example",))
    assert one(rows(tmp_path, mail(), options=options)).group == "ida@mail.harbour.example"


def test_a_folder_without_mail_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(ValueError, match=r"holds no mail: expected \.mbox or \.eml"):
        list(read(tmp_path, Options()))
