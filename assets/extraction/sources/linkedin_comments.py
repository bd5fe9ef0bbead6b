r"""The comments of a LinkedIn data export: `Comments.csv`, alone, in the folder or the zip.

    Date,Link,Message
    2026-03-01 08:10:00,https://…/feed/update/urn%3Ali%3Ashare%3A733,Same here: prune first.

One row a comment; those on one post never part between splits. Where `Shares.csv` of the same
export holds that post, it is the conversation's first turn. Posts of others are in no export, so
what a comment answers is mostly unknown: then the comment is the text and there are no turns.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from pydantic import Field

from assets.discovery import Options as PlugInOptions
from assets.extraction.conversation import OWNER, text_of, turn
from assets.extraction.dates import iso_date
from assets.extraction.fragment import read_fragment
from assets.extraction.linkedin import Export, owner_name, undamaged, unwrap_line_breaks
from assets.extraction.rows import Skipped, SourceRow, unreadable
from assets.extraction.tables.csv_rows import CsvRow, csv_rows
from assets.records import RawRow, Turn

REQUIRED = ("Date", "Link", "Message")
_POST = re.compile(r"urn:li:(?:share|ugcpost|activity|groupPost):[\d-]+", re.IGNORECASE)
_ONLY_LINKS = re.compile(r"(?:https?://\S+\s*)+")


class Options(PlugInOptions):
    """How much of an export may be unpacked."""

    max_unpacked_megabytes: int = Field(default=200, ge=1)  # a zip that unpacks to more is refused


def read(path: Path, options: Options) -> Iterator[SourceRow]:
    """Yield each comment with its post as the group; one without words is skipped.

    Raises ValueError where there is no table of comments, or the zip is not to be trusted.
    """
    export = Export(path, options.max_unpacked_megabytes)
    with undamaged(path):
        owner = owner_name(export)
        posts = _posts(export)
        for file, opener in export.tables("Comments.csv", "Comments"):
            for row in csv_rows(opener, file, REQUIRED):
                yield _comment(row, file, posts, owner) if isinstance(row, CsvRow) else row


def post_of(link: str) -> str:
    """Return what a link says of its post, `urn:li:share:733`; else the link without its query."""
    found = _POST.search(unquote(unquote(link)))
    return found[0].lower() if found else link.partition("?")[0].rstrip("/")


def _comment(row: CsvRow, file: str, posts: dict[str, Turn], owner: str) -> SourceRow:
    cells = {name: row.cells.get(name, "").strip() for name in REQUIRED}
    text = read_fragment(unwrap_line_breaks(cells["Message"]))
    sent = iso_date(cells["Date"])
    if not sent:
        return unreadable(file, row.number, f"Date {cells['Date'][:40]!r} is no date", text)
    if not text.strip('" \r\n\t'):
        return Skipped("no_words")
    if _ONLY_LINKS.fullmatch(text):
        return Skipped("only_link")
    post = post_of(cells["Link"])
    turns = [posts[post], turn(OWNER, text, sent)] if post in posts else []
    return RawRow(
        text=text_of(turns) if turns else text,
        group=post or text,
        origin=f"{file}, row {row.number}",
        metadata={"owner": owner, "date": sent},
        turns=turns,
        people=(owner,) if owner else (),
    )


def _posts(export: Export) -> dict[str, Turn]:
    """Return the owner's posts, by what their links say of them."""
    posts: dict[str, Turn] = {}
    for file, opener in export.tables_beside("Shares.csv"):
        for row in csv_rows(opener, file, ("ShareLink", "ShareCommentary")):
            if isinstance(row, CsvRow) and row.cells["ShareCommentary"].strip('" \r\n\t'):
                text = unwrap_line_breaks(row.cells["ShareCommentary"].strip())
                sent = iso_date(row.cells.get("Date", ""))
                posts.setdefault(post_of(row.cells["ShareLink"].strip()), turn(OWNER, text, sent))
    return posts
