"""HTML as a reader sees it, and every link with both its text and its address.

    <a href="https://evil.example">my.bank.example</a>  ->  "my.bank.example (https://evil.example)"

Style, scripts and hidden preheaders are no part of it.
"""

import re
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser

Attributes = list[tuple[str, str | None]]

_UNSEEN = {"script", "style", "head", "title", "template", "noscript"}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "wbr"}
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_BLOCK = _HEADINGS | {"blockquote", "div", "ol", "p", "pre", "table", "tr", "ul"}
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|opacity\s*:\s*0(?:\.0+)?\s*(?:;|$)"
    r"|(?:font-size|max-height|line-height)\s*:\s*0(?:px|pt|em|%)?\s*(?:;|!|$)",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[^>]*>")
# The parser's time grows with the square of the tags left open, so many of them are read as text.
_LEFT_OPEN = re.compile(r"<(?=[^<>]*(?:<|\Z))")
_MAX_LEFT_OPEN = 100
_MAX_NESTING = 500
_MAX_VISIBLE = 200  # characters of a link's text that are kept


@dataclass(frozen=True)
class Link:
    """An address and what the reader saw in its place; empty where that is the address itself."""

    address: str
    visible: str = ""


@dataclass(frozen=True)
class HtmlText:
    """The text, in which quoted lines begin with `> `, and the links in their order."""

    text: str
    links: list[Link]


def read_html(html: str) -> HtmlText:
    """Return the text and the links of a page; broken HTML loses its tags and nothing else."""
    reader = _Reader()
    if len(_LEFT_OPEN.findall(html)) > _MAX_LEFT_OPEN:
        html = _LEFT_OPEN.sub("&lt;", html)
    try:
        reader.feed(html)
        reader.close()
    except AssertionError:  # the parser's word for a malformed declaration
        return HtmlText(_tidy(unescape(_TAG.sub(" ", html))), [])
    return HtmlText(_tidy("".join(reader.out)), reader.links)


class _Reader(HTMLParser):
    """Collects text and links; `_open` holds each open tag with whether it hides its content."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.links: list[Link] = []
        self._open: list[tuple[str, bool, bool]] = []  # tag, hidden, quoted
        self._link: tuple[str, int] | None = None  # address, where its text begins in `out`

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag not in _VOID and len(self._open) < _MAX_NESTING:
            hidden, quoted = self._inherited()
            hidden = hidden or tag in _UNSEEN or "hidden" in values
            hidden = hidden or bool(_HIDDEN.search(values.get("style", "")))
            quoted = quoted or tag == "blockquote" or "gmail_quote" in values.get("class", "")
            self._open.append((tag, hidden, quoted))
        if tag in _BLOCK or tag in ("br", "li"):
            self._break(1 if tag in ("br", "li", "tr", "div") else 2)
        if tag == "li":
            self._say("- ")
        if tag == "img" and values.get("alt"):
            self._say(values["alt"])
        if tag in ("a", "area") and values.get("href"):
            self._end_link()
            self._link = (values["href"].strip(), len(self.out))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._end_link()
        for i in range(len(self._open) - 1, -1, -1):
            if self._open[i][0] == tag:
                del self._open[i:]
                break
        if tag in _BLOCK:
            self._break(1 if tag in ("tr", "div") else 2)
        elif tag in ("td", "th"):
            self._say(" ")

    def handle_data(self, data: str) -> None:
        self._say(data if self._inside("pre") else re.sub(r"\s+", " ", data))

    def close(self) -> None:
        super().close()
        self._end_link()

    def _inherited(self) -> tuple[bool, bool]:
        return self._open[-1][1:] if self._open else (False, False)

    def _inside(self, tag: str) -> bool:
        return any(name == tag for name, _, _ in self._open)

    def _say(self, text: str) -> None:
        if not self._inherited()[0]:
            self.out.append(text)

    def _break(self, lines: int) -> None:
        hidden, quoted = self._inherited()
        if not hidden:
            self.out.append("\n" * lines + ("> " if quoted else ""))

    def _end_link(self) -> None:
        if self._link is None:
            return
        address, start = self._link
        self._link = None
        visible = " ".join("".join(self.out[start:]).split())[:_MAX_VISIBLE]
        scheme = address.partition(":")[0].lower()
        if address.startswith("#") or scheme in ("mailto", "tel", "cid", "javascript"):
            return
        if self._inherited()[0] and not visible:
            return
        same = _bare(visible) == _bare(address)
        self.links.append(Link(address, "" if same else visible))
        if not same or not visible:
            self._say(f" ({address})" if visible else address)


def _bare(address: str) -> str:
    return re.sub(r"^https?://|/$", "", address.strip().lower())


def _tidy(text: str) -> str:
    text = text.replace("\u00a0", " ").replace("\r", "")
    lines = [re.sub(r"[ \t]{2,}", " ", line).strip() for line in text.split("\n")]
    return re.sub(r"\n(?:>?\n)+", "\n\n", "\n".join(lines)).strip()
