"""The words of a mail's writer, the links in them, and why there are none."""

import unicodedata

from assets.extraction.mail.html_text import read_html
from assets.extraction.mail.links import link_lines, links_in
from assets.extraction.mail.parts import Parts
from assets.extraction.mail.quotes import own_words

_MAX_JUNK = 0.05  # share of control characters above which a body is no text


def text_and_links(parts: Parts) -> tuple[str, str]:
    """Return the writer's own words, and their links, one a line.

    Plain text is the better text; only HTML knows what a link shows instead of its address.
    """
    html = read_html(parts.html)
    seen = own_words(html.text)
    text = own_words(parts.plain) if parts.plain.strip() else seen
    shown = [link for link in html.links if link.address in seen]
    known = {link.address for link in shown}
    written = [link for link in links_in(text) if link.address not in known]
    return text, link_lines([*shown, *written])


def fault(parts: Parts, text: str) -> str:
    """Return why a mail with these words of its own is none that can be read, or nothing."""
    if not parts.headers:
        return "no mail: there are no headers, it is binary or was cut"
    if not text:
        if parts.plain.strip() or parts.html.strip():
            return "no words of its own: only a quoted reply, a signature or pictures"
        return f"no text in the body; attachments: {parts.attachments}"
    junk = sum(unicodedata.category(c) == "Cc" and c not in "\t\n\r" for c in text[:5000])
    return "the body is binary, no text" if junk > _MAX_JUNK * len(text[:5000]) else ""
