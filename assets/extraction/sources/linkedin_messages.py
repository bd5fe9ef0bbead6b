r"""The conversations of a LinkedIn data export: `messages.csv`, alone, in the folder or the zip.

    CONVERSATION ID,CONVERSATION TITLE,FROM,SENDER PROFILE URL,TO,DATE,SUBJECT,CONTENT
    2-MzQ,,Anna Lindholm,https://…/in/anna-l,Ida Brandt,2026-03-01 08:10:00 UTC,,Is it sold?

One row a conversation, oldest message first. Who sent nothing but an advertisement, or got no
answer, is no conversation; drafts, spam and messages without words are left out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pydantic import Field, model_validator

from assets.discovery import Options as PlugInOptions
from assets.extraction.conversation import OWNER, text_of, turn
from assets.extraction.dates import iso_date
from assets.extraction.fragment import read_fragment
from assets.extraction.linkedin import Export, owner_name, undamaged
from assets.extraction.participants import Participants, Party, is_you, most_present
from assets.extraction.rows import Skipped, SourceRow, unreadable
from assets.extraction.tables.csv_rows import CsvRow, csv_rows
from assets.records import RawRow

REQUIRED = ("CONVERSATION ID", "FROM", "DATE", "CONTENT")
_NOBODY = "LinkedIn Member"  # how the export calls a deleted account


class Options(PlugInOptions):
    """Whose conversations these are, and which of them are read."""

    owner: str = ""  # name or profile address; else Profile.csv, else who is in every conversation
    since: date | None = None  # messages before that day are left out
    until: date | None = None  # messages after that day are left out
    max_unpacked_megabytes: int = Field(default=500, ge=1)  # a zip that unpacks to more is refused

    @model_validator(mode="after")
    def _range_is_not_empty(self) -> "Options":
        if self.since and self.until and self.since > self.until:
            raise ValueError(f"since {self.since} is after until {self.until}: nothing is left")
        return self


@dataclass(frozen=True, slots=True)
class Message:
    """One row of the table."""

    conversation: str
    title: str
    sender: Party
    recipients: tuple[Party, ...]
    named: tuple[str, ...]  # all names of the row
    date: str
    subject: str
    text: str
    origin: str = field(compare=False)


def read(path: Path, options: Options) -> Iterator[SourceRow]:
    """Yield each conversation as turns; the group is the conversation.

    Raises ValueError where there is no table of messages, the zip is not to be trusted, or nobody
    can be told to be the owner.
    """
    export = Export(path, options.max_unpacked_megabytes)
    messages: dict[Message, None] = {}  # two parts of one export repeat some
    with undamaged(path):
        profile = owner_name(export)
        for file, opener in export.tables("messages.csv", "Messages"):
            for row in csv_rows(opener, file, REQUIRED):
                read_row = _message(row, file) if isinstance(row, CsvRow) else row
                if isinstance(read_row, Message):
                    messages[read_row] = None
                else:
                    yield read_row
    yield from _conversations([*messages], options, profile)


def _message(row: CsvRow, file: str) -> Message | SourceRow:
    cells = {name.casefold(): value.strip() for name, value in row.cells.items()}
    sent = iso_date(cells["date"])
    if fault := _fault(cells, sent):
        return unreadable(file, row.number, fault, cells["content"])
    text = read_fragment(cells["content"])
    if reason := _left_out(cells, text):
        return Skipped(reason)
    recipients, named = _recipients(cells)
    return Message(
        conversation=cells["conversation id"],
        title=cells.get("conversation title", ""),
        sender=Party(cells["from"], cells.get("sender profile url", "")),
        recipients=recipients,
        named=(cells["from"], *named),
        date=sent,
        subject=cells.get("subject", ""),
        text=text,
        origin=f"{file}, row {row.number}",
    )


def _fault(cells: dict[str, str], sent: str) -> str:
    if not cells["conversation id"]:
        return "no CONVERSATION ID"
    return "" if sent else f"DATE {cells['date'][:40]!r} is no date"


def _left_out(cells: dict[str, str], text: str) -> str:
    if not cells["from"] and not cells.get("sender profile url"):
        return "no_sender"  # an advertisement
    drafts = ("is message draft", "is conversation draft")
    if any(cells.get(name, "").casefold() in ("yes", "true", "1") for name in drafts):
        return "draft"
    if cells.get("folder", "").casefold() == "spam":
        return "spam"
    return "" if text else "no_words"


def _recipients(cells: dict[str, str]) -> tuple[tuple[Party, ...], tuple[str, ...]]:
    """Return the recipients, and their names: titles hold commas too, so the numbers may differ."""
    to = cells.get("to", "")
    names = tuple(name for part in to.split(",") if (name := part.strip()))
    profiles = [
        url for part in cells.get("recipient profile urls", "").split(",") if (url := part.strip())
    ]
    if not profiles:
        return tuple(map(Party, names)), names
    if len(profiles) == 1:
        return (Party(to, profiles[0]),), (to,)
    if len(profiles) != len(names):
        return tuple(Party("", profile) for profile in profiles), names
    return tuple(map(Party, names, profiles)), names


def _conversations(
    messages: list[Message], options: Options, profile: str
) -> Iterator[RawRow | Skipped]:
    known = Participants(p for m in messages for p in (m.sender, *m.recipients))
    threads: dict[str, list[Message]] = {}
    for message in messages:
        threads.setdefault(message.conversation, []).append(message)
    if not threads:
        return
    owners = _owners(threads.values(), known, options.owner, profile)
    names = tuple(filter(None, [profile, *map(known.name, sorted(owners))]))
    for whole in threads.values():
        thread = [message for message in whole if _in_range(message, options)]
        yield from [Skipped("out_of_range")] * (len(whole) - len(thread))
        senders = {OWNER if (key := known.key(m.sender)) in owners else key for m in thread}
        if len(senders) > 1:
            yield _row(thread, known, owners, names)
        elif thread:
            yield Skipped("one_sided")


def _in_range(message: Message, options: Options) -> bool:
    day = date.fromisoformat(message.date[:10])
    return (options.since or day) <= day <= (options.until or day)


def _owners(
    threads: Iterable[list[Message]], known: Participants, owner: str, profile: str
) -> set[str]:
    """Return all that the owner is known by."""
    if owner:
        if not (key := known.known_as(owner)):
            raise ValueError(
                f"owner {owner!r} neither sent nor received a message under that name or profile: "
                "spell it as FROM or SENDER PROFILE URL do"
            )
        return {key}
    parties = [[p for m in thread for p in (m.sender, *m.recipients)] for thread in threads]
    called = {known.key(p) for thread in parties for p in thread if is_you(p.name)}
    if profile and (key := known.known_as(profile)):
        called.add(key)
    found = called or {most_present([{known.key(p) for p in thread} for thread in parties])}
    if found == {""}:
        raise ValueError(
            "it cannot be told whose messages these are: more than one person is in as many "
            "conversations. Set extraction.owner to the owner's name or profile address, or put "
            "the export's Profile.csv beside messages.csv"
        )
    return found


def _row(
    thread: list[Message], known: Participants, owners: set[str], owner_names: tuple[str, ...]
) -> RawRow:
    if thread[0].date >= thread[-1].date:  # newest first, as LinkedIn writes them
        thread = thread[::-1]
    thread = sorted(thread, key=lambda message: message.date)
    turns = [turn(_speaker(m.sender, known, owners), m.text, m.date) for m in thread]
    parties = {known.name(known.key(p)) for m in thread for p in (m.sender, *m.recipients)}
    named = {name for m in thread for name in m.named if not is_you(name)}
    return RawRow(
        text=text_of(turns),
        group=thread[0].conversation,
        origin=thread[0].origin,
        metadata={
            "owner": owner_names[0] if owner_names else "",
            "title": thread[0].title,
            "subject": next((m.subject for m in thread if m.subject), ""),
            "date": thread[0].date,
        },
        turns=turns,
        people=tuple(sorted((parties | named | set(owner_names)) - {"", _NOBODY})),
    )


def _speaker(sender: Party, known: Participants, owners: set[str]) -> str:
    key = known.key(sender)
    return OWNER if key in owners else known.name(key) or sender.name or _NOBODY
