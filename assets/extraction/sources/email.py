"""Mails as texts: an mbox (Google Takeout's too), a Maildir, a folder of .eml, or one .eml.

    From: =?utf-8?q?Harbourline?= <no-reply@harbour-line.example>
    Subject: Your parcel waits
    X-Gmail-Labels: Inbox,Phishing

The body becomes the text; subject, links, label, from_domain, date, attachments the metadata.
"""

import csv
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from assets.discovery import Options as PlugInOptions
from assets.extraction.domains import registered
from assets.extraction.mail.boxes import Mail, mails
from assets.extraction.mail.headers import Headers, decoded, sender_address, sent_at
from assets.extraction.mail.html_text import read_html
from assets.extraction.mail.links import link_lines, links_in
from assets.extraction.mail.parts import Parts, read_parts
from assets.extraction.mail.quotes import own_words
from assets.extraction.rows import SourceRow, unreadable
from assets.records import RawRow, content_hash

_MAX_JUNK = 0.05  # share of control characters above which a body is no text


class Options(PlugInOptions):
    """How mails are labelled and grouped."""

    # gmail_labels: the header of a Google Takeout; file_name: of the mail's file or folders.
    label_from: Literal["gmail_labels", "file_name"] | None = None
    labels: dict[str, str] = Field(default_factory=dict)  # name -> class; the first that matches
    group_by: Literal["thread", "sender", "domain"] = "thread"  # these never part between splits
    # Providers whose senders have nothing in common: grouped by the whole address.
    shared_domains: tuple[str, ...] = (
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "yahoo.com",
        "icloud.com",
        "aol.com",
        "gmx.de",
        "gmx.net",
        "web.de",
        "proton.me",
        "protonmail.com",
    )

    @model_validator(mode="after")
    def _labels_have_a_source(self) -> "Options":
        if bool(self.labels) != bool(self.label_from):
            raise ValueError(
                "label_from and labels go together: label_from: gmail_labels, "
                "labels: {Phishing: phishing, Inbox: safe}"
            )
        return self


def read(path: Path, options: Options) -> Iterator[SourceRow]:
    """Yield each mail; without a body or a label that maps it is unreadable, with the reason."""
    for mail in mails(path):
        yield _row(mail, path, options)


def _row(mail: Mail, path: Path, options: Options) -> SourceRow:
    name = mail.file.relative_to(path.parent).as_posix() if path.is_dir() else mail.file.name
    parts = read_parts(mail)
    headers = parts.headers
    text, links = _text_and_links(parts)
    label = _label(headers, name, options) if options.label_from else ""
    if reason := _fault(parts, text, label, options):
        about = decoded(headers.get("subject", "")) or text[:400]
        return unreadable(name, mail.number, reason, about)
    sender = sender_address(headers)
    metadata = {
        "subject": decoded(headers.get("subject", "")),
        "links": links,
        "from_domain": sender.rpartition("@")[2],
        "date": sent_at(headers),
        "attachments": str(parts.attachments),
    }
    if label:
        metadata["label"] = label
    if parts.cut:
        metadata["cut"] = "only the first 2 MB of the text"
    group = _group(headers, sender, options) or content_hash([metadata["subject"], text])
    return RawRow(text, group, f"{name}, mail {mail.number}", metadata)


def _text_and_links(parts: Parts) -> tuple[str, str]:
    """Plain text is the better text; only HTML knows what a link shows instead of its address."""
    html = read_html(parts.html)
    seen = own_words(html.text)
    text = own_words(parts.plain) if parts.plain.strip() else seen
    shown = [link for link in html.links if link.address in seen]
    known = {link.address for link in shown}
    written = [link for link in links_in(text) if link.address not in known]
    return text, link_lines([*shown, *written])


def _fault(parts: Parts, text: str, label: str, options: Options) -> str:
    if not parts.headers:
        return "no mail: there are no headers, it is binary or was cut"
    if not text:
        if parts.plain.strip() or parts.html.strip():
            return "no words of its own: only a quoted reply, a signature or pictures"
        return f"no text in the body; attachments: {parts.attachments}"
    junk = sum(unicodedata.category(c) == "Cc" and c not in "\t\n\r" for c in text[:5000])
    if junk > _MAX_JUNK * len(text[:5000]):
        return "the body is binary, no text"
    if options.label_from and not label:
        where = "X-Gmail-Labels" if options.label_from == "gmail_labels" else "the file's name"
        return f"no label in {where}; labels maps: {', '.join(options.labels)}"
    return ""


def _label(headers: Headers, name: str, options: Options) -> str:
    if options.label_from == "gmail_labels":
        line = decoded(headers.get("x-gmail-labels", ""))
        cells = next(csv.reader([line], skipinitialspace=True), [])
        there = {cell.strip().casefold() for cell in cells}
        stem = ""
    else:
        *folders, stem = (part.strip(".").casefold() for part in Path(name).parts)
        there = set(folders)
    for wanted, label in options.labels.items():
        if wanted.casefold() in there or stem.startswith(wanted.casefold()):
            return label
    return ""


def _group(headers: Headers, sender: str, options: Options) -> str:
    if options.group_by != "thread" and sender:
        domain = registered(sender.rpartition("@")[2])
        whole = options.group_by == "sender" or domain in options.shared_domains
        return sender if whole else domain
    for name in ("x-gm-thrid", "references", "in-reply-to", "message-id"):
        if words := headers.get(name, "").split():
            return words[0]
    return ""
