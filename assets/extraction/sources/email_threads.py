"""Threads of mails as conversations: from an mbox, a Maildir, a folder of .eml, or one .eml.

    Message-ID: <c@harbour.example>
    References: <a@mailbox.example> <b@harbour.example>
    X-Gmail-Labels: Sent

One row a thread, its mails in the order of their dates, each with its writer's own words only. A
thread in which one person writes alone is no conversation.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from pydantic import Field, field_validator

from assets.discovery import Options as PlugInOptions
from assets.extraction.conversation import OWNER, text_of, turn
from assets.extraction.mail.addresses import Mailbox, mailboxes
from assets.extraction.mail.bodies import fault, text_and_links
from assets.extraction.mail.boxes import Mail, mails, name_under
from assets.extraction.mail.headers import decoded, gmail_labels, sent_at
from assets.extraction.mail.parts import read_parts
from assets.extraction.mail.threads import message_ids, threads
from assets.extraction.participants import most_present
from assets.extraction.rows import Skipped, SourceRow, unreadable
from assets.records import RawRow, UnreadableRow, content_hash

# What mail programs call the folder of sent mails.
_SENT = {
    *("sent", "sent mail", "sent items", "sent messages", "[gmail]/sent mail", "gesendet"),
    *("gesendete elemente", "gesendete objekte", "envoyés", "éléments envoyés", "enviados"),
    *("elementos enviados", "inviati", "posta inviata", "wysłane", "elementy wysłane"),
    *("verzonden", "verzonden items", "skickat"),
}


class Options(PlugInOptions):
    """Whose mails these are."""

    # The owner's addresses; without them whoever wrote the mails in Sent, else whoever is in most
    # threads.
    owner: tuple[str, ...] = Field(default=())

    @field_validator("owner")
    @classmethod
    def _are_addresses(cls, owner: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [address for address in owner if "@" not in address]:
            raise ValueError(f"owner: {wrong[0]!r} is no address; name them all: [ida@x.example]")
        return tuple(address.strip().lower() for address in owner)


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail, as far as its thread needs it."""

    ids: tuple[str, ...]  # its own first, then those that it refers to, oldest first
    sender: Mailbox
    recipients: tuple[Mailbox, ...]
    subject: str
    text: str
    date: str
    sent: bool  # it lies in the folder of sent mails
    file: str
    number: int


def read(path: Path, options: Options) -> Iterator[SourceRow]:
    """Yield each thread as turns; the group is the thread.

    Raises ValueError where nobody can be told to be the owner.
    """
    letters: dict[tuple[object, ...], Letter] = {}
    for mail in mails(path):
        letter = _letter(mail, name_under(path, mail))
        if not isinstance(letter, Letter):
            yield letter
            continue
        # A mail lies in several folders, and once in Sent is enough.
        same = (letter.ids[0], letter.sender.address, letter.date, letter.text)
        known = letters.setdefault(same, letter)
        letters[same] = replace(known, sent=known.sent or letter.sent)
    yield from _conversations([*letters.values()], options.owner)


def _letter(mail: Mail, file: str) -> Letter | UnreadableRow | Skipped:
    parts = read_parts(mail)
    headers, subject = parts.headers, decoded(parts.headers.get("subject", ""))
    text, _ = text_and_links(parts)
    if headers and not text:
        return Skipped("no_words")
    senders = mailboxes(headers, "from")
    if reason := fault(parts, text) or ("" if senders else "no address in From"):
        return unreadable(file, mail.number, reason, subject or text)
    date = sent_at(headers)
    own = message_ids(headers, "message-id") or [content_hash([file, mail.number, date, text])]
    thread = [f"x-gm-thrid:{id}" for id in headers.get("x-gm-thrid", "").split()[:1]]
    before = message_ids(headers, "references") + message_ids(headers, "in-reply-to")
    folders = {
        part.strip(".").removesuffix(".mbox") for part in PurePosixPath(file.casefold()).parts
    }
    return Letter(
        ids=tuple(dict.fromkeys([own[0], *thread, *before])),
        sender=senders[0],
        recipients=tuple(mailboxes(headers, "to", "cc")),
        subject=subject,
        text=text,
        date=date,
        sent=bool(_SENT & (gmail_labels(headers) | folders)),
        file=file,
        number=mail.number,
    )


def _conversations(letters: list[Letter], owner: tuple[str, ...]) -> Iterator[SourceRow]:
    found = [[letters[n] for n in numbers] for numbers in threads([m.ids for m in letters])]
    if not found:
        return
    owners = _owners(found, owner)
    names = sorted({m.sender.name for m in letters if m.sender.address in owners} - {""})
    for thread in found:
        senders = {OWNER if m.sender.address in owners else m.sender.address for m in thread}
        yield _row(thread, owners, names) if len(senders) > 1 else Skipped("one_sided")


def _owners(found: list[list[Letter]], owner: tuple[str, ...]) -> set[str]:
    everybody = {b.address for t in found for m in t for b in (m.sender, *m.recipients)}
    if owner:
        if not (there := everybody & set(owner)):
            raise ValueError(
                f"owner {', '.join(owner)} wrote and got none of these mails: name the owner's "
                "addresses as From and To have them"
            )
        return there
    if sent := {m.sender.address for thread in found for m in thread if m.sent}:
        return sent
    parties = [{b.address for m in t for b in (m.sender, *m.recipients)} for t in found]
    if not (most := most_present(parties)):
        raise ValueError(
            "it cannot be told whose mails these are: none lies in Sent, and more than one address "
            "is in as many threads. Set extraction.owner: [address, …]"
        )
    return {most}


def _row(thread: list[Letter], owners: set[str], owner_names: list[str]) -> RawRow:
    thread = _in_order(thread)
    boxes = [box for m in thread for box in (m.sender, *m.recipients)]
    names: dict[str, str] = {}
    for box in boxes:
        names[box.address] = names.get(box.address) or box.name

    def speaker(box: Mailbox) -> str:
        return OWNER if box.address in owners else names[box.address] or box.address

    first = thread[0]
    turns = [turn(speaker(m.sender), m.text, m.date) for m in thread]
    people = {box.name for box in boxes} | set(owner_names)
    return RawRow(
        text=text_of(turns),
        group=_group(first),
        origin=f"{first.file}, mail {first.number}",
        metadata={
            "owner": owner_names[0] if owner_names else "",
            "subject": first.subject,
            "date": first.date,
        },
        turns=turns,
        people=tuple(sorted(people - {""})),
    )


def _in_order(thread: list[Letter]) -> list[Letter]:
    """By date; a mail whose date cannot be read comes right behind the one that it answers."""
    dates = {m.ids[0]: m.date for m in thread}

    def place(m: Letter) -> tuple[str, bool, int, str, int]:
        date = m.date or max((dates.get(id, "") for id in m.ids[1:]), default="")
        return date, not m.date, len(m.ids), m.file, m.number

    return sorted(thread, key=place)


def _group(first: Letter) -> str:
    """The thread as its oldest mail names it, which no later mail changes."""
    return first.ids[:2][-1]
