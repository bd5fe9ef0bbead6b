"""Headers, HTML, quotes, charsets and links of mails, each alone."""

import time

import pytest

from assets.extraction.mail.charset import decode_base64, decode_text
from assets.extraction.mail.headers import decoded, read_headers, sender_address, sent_at
from assets.extraction.mail.html_text import Link, read_html
from assets.extraction.mail.links import link_lines, links_in
from assets.extraction.mail.quotes import own_words


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("=?utf-8?Q?Caf=C3?= =?utf-8?Q?=A9_Nord?=", "Café Nord"),
        ("=?utf-8?B?Q2Fmw6k?= (open)", "Café (open)"),
        ("=?no-such-charset?Q?Caf=E9?=", "Café"),
        ("Re: =?iso-8859-1?q?Gr=FC=DFe?=", "Re: Grüße"),
        ("=?utf-8?B?!!!?= x", "x"),
        ("Caf\udcc3\udca9", "Café"),
        ("100 =?", "100 =?"),
    ],
)
def test_encoded_headers_are_decoded_however_broken(raw: str, text: str) -> None:
    assert decoded(raw) == text


def test_folded_headers_are_joined_and_the_first_of_a_name_wins() -> None:
    raw = b"Subject: a\r\n b\r\nX: 1\r\nX: 2\r\nno header\r\n\r\nbody"
    headers, body = read_headers(raw, 0, len(raw))
    assert headers == {"subject": "a b", "x": "1"}
    assert raw[body:] == b"body"


def test_the_sender_is_the_address_not_the_one_in_the_name() -> None:
    assert sender_address({"from": '"ceo@firm.example" <X@evil.example>'}) == "x@evil.example"
    assert sender_address({"from": "x@evil.example (Ida)"}) == "x@evil.example"
    assert sender_address({"from": "(" * 5000}) == ""


@pytest.mark.parametrize(
    ("date", "utc"),
    [
        ("Mon, 02 Mar 2026 09:10:00 +0100", "2026-03-02 08:10:00"),
        ("Mon, 99 Mar 2026 09:10:00 +0100", ""),
        ("soon", ""),
    ],
)
def test_dates_become_utc_and_junk_stays_empty(date: str, utc: str) -> None:
    assert sent_at({"date": date}) == utc


def test_a_misnamed_charset_does_no_harm() -> None:
    assert decode_text("Grüße".encode(), "iso-8859-1") == "Grüße"
    assert decode_text("Grüße".encode("cp1252"), "utf-8") == "Grüße"
    assert decode_text("Grüße".encode(), "x-unknown\0") == "Grüße"
    assert decode_text("漢字".encode("gb18030"), "gb2312") == "漢字"
    assert decode_text(b"abc", "base64") == "abc"


def test_base64_of_a_wrong_length_gives_what_there_is() -> None:
    assert decode_base64(b"SGVsbG8gd29ybGQ") == b"Hello world"
    assert decode_base64(b"SGVs*bG8g\nd29ybGQ=X") == b"Hello world"


def test_html_shows_what_a_reader_sees() -> None:
    page = read_html(
        "<html><head><title>t</title><style>x{}</style></head><body>"
        "<div style='display:none'>preheader <b>hidden</b></div><span hidden>no</span>"
        "<p>Dear&nbsp;Ida,<br>pay <b>now</b></p><ul><li>one<li>two</ul>"
        "<table><tr><td>a</td><td>b</td></tr></table><script>bad()</script></body>"
    )
    assert page.text == "Dear Ida,\npay now\n\n- one\n- two\n\na b"


def test_a_link_keeps_what_it_shows_and_where_it_leads() -> None:
    page = read_html(
        '<a href="http://evil.example/x">www.bank.example</a> '
        '<a href="http://a.example/">a.example</a>'
        '<a href="mailto:x@y.example">mail</a> '
        '<a href="http://b.example"><img alt="Log in" src=""></a>'
    )
    assert page.links == [
        Link("http://evil.example/x", "www.bank.example"),
        Link("http://a.example/"),
        Link("http://b.example", "Log in"),
    ]
    assert "www.bank.example (http://evil.example/x) a.example" in page.text
    assert link_lines(page.links).splitlines()[:2] == [
        "www.bank.example -> http://evil.example/x",
        "http://a.example/",
    ]


@pytest.mark.parametrize(
    "junk",
    [
        "<",
        "<p ",
        "</p ",
        "<!-- ",
        "<![CDATA[",
        "<b>",
        "<a href='",
        "<a x=\"'>",
        "<a x=1 y='>'",
        "&#",
    ],
)
def test_junk_html_raises_nothing_and_takes_no_long_time(junk: str) -> None:
    started = time.process_time()
    read_html(junk * 20_000)
    assert time.process_time() - started < 3


def test_a_frame_without_letter_size_hides_only_what_sets_no_size_inside() -> None:
    page = "<td style='font-size:0px'>pre<div style='font-size:14px'>Seen</div></td>"
    assert read_html(page).text == "Seen"


def test_what_is_no_tag_stays_and_what_is_no_text_goes() -> None:
    assert read_html("<![foo[ x > 1 < 2 <b title='a > b'>kept</b> <3 &lt;x&gt;").text == (
        "1 < 2 kept <3 <x>"
    )
    assert read_html("a<!-- <b> --><script>'</p>' < 1</SCRIPT >b<style>never closed").text == "ab"


def test_links_in_text_lose_the_sentences_punctuation() -> None:
    text = "See (https://a.example/x_(y)), https://b.example. <http://c.example>; www.d.example!"
    assert [link.address for link in links_in(text)] == [
        "https://a.example/x_(y)",
        "https://b.example",
        "http://c.example",
        "www.d.example",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "On Mon, 2 Mar 2026 at 08:10, Ida Brandt <ida@x.example> wrote:",
        "Am Mo., 2. März 2026 um 08:10 Uhr schrieb Ida Brandt <ida@x.example>:",
        "Le lun. 2 mars 2026 à 08:10, Ida <ida@x.example> a écrit :",
        "El lun, 2 mar 2026 a las 8:10, Ida (<ida@x.example>) escribió:",
        "Il giorno lun 2 mar 2026 alle ore 08:10 Ida <ida@x.example> ha scritto:",
        "pon., 2 mar 2026 o 08:10 Ida <ida@x.example> napisał(a):",
        "Op ma 2 mrt 2026 om 08:10 schreef Ida <ida@x.example>:",
        "On Mon, 2 Mar 2026 at 08:10, Ida Brandt\n<ida@x.example> wrote:",
    ],
)
def test_quoted_replies_are_cut_in_every_language(line: str) -> None:
    assert own_words(f"Sounds good.\n\n{line}\n\n> Shall we?\n>> No\n\nAnd below.") == (
        "Sounds good.\n\nAnd below."
    )
    assert own_words(f"Sounds good.\n\n{line}\n\nShall we?") == "Sounds good."


@pytest.mark.parametrize(
    "block",
    [
        "-----Original Message-----\nFrom: Ida",
        "-----Ursprüngliche Nachricht-----\nVon: Ida",
        "From: Ida\nSent: Monday\nTo: Ole\nSubject: x",
        "De : Ida\nEnvoyé : lundi\nObjet : x",
        "Od: Ida\nWysłano: dzisiaj\nDo: Ole",
    ],
)
def test_outlooks_block_is_cut_below_an_answer_and_kept_in_a_bare_forward(block: str) -> None:
    assert own_words(f"Yes.\n\n{block}\n\nold") == "Yes."
    assert "old" in own_words(f"{block}\n\nold") or "Original" in block or "Nachricht" in block


def test_a_signature_is_cut_and_an_ordinary_sentence_stays() -> None:
    text = "On Monday I wrote: pay the bill.\nFrom: here we go - on\n-- \nIda"
    assert own_words(text) == "On Monday I wrote: pay the bill.\nFrom: here we go - on"
