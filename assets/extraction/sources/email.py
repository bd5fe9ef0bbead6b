"""Mails as texts: an mbox (Google Takeout's too), a Maildir, a folder of .eml, or one .eml.

    From: =?utf-8?q?Harbourline?= <no-reply@harbour-line.example>
    Subject: Your parcel waits
    X-Gmail-Labels: Inbox,Phishing

The body becomes the text; subject, links, label, from_domain, date, attachments the metadata.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from assets.discovery import Options as PlugInOptions
from assets.extraction.domains import registered
from assets.extraction.mail.bodies import fault, text_and_links
from assets.extraction.mail.boxes import Mail, mails, name_under
from assets.extraction.mail.headers import (
    Headers,
    decoded,
    gmail_labels,
    sender_address,
    sent_at,
)
from assets.extraction.mail.parts import read_parts
from assets.extraction.rows import SourceRow, unreadable
from assets.records import RawRow, content_hash


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
    name = name_under(path, mail)
    parts = read_parts(mail)
    headers = parts.headers
    text, links = text_and_links(parts)
    label = _label(headers, name, options) if options.label_from else ""
    if reason := fault(parts, text) or _no_label(label, options):
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


def _no_label(label: str, options: Options) -> str:
    if label or not options.label_from:
        return ""
    where = "X-Gmail-Labels" if options.label_from == "gmail_labels" else "the file's name"
    return f"no label in {where}; labels maps: {', '.join(options.labels)}"


def _label(headers: Headers, name: str, options: Options) -> str:
    if options.label_from == "gmail_labels":
        there, stem = gmail_labels(headers), ""
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
