"""HTML as a reader sees it, and every link with both its text and its address.

    <a href="https://evil.example">my.bank.example</a>  ->  "my.bank.example (https://evil.example)"

Style, scripts and hidden preheaders are no part of it.
"""

import re
from dataclasses import dataclass
from html import unescape

_UNSEEN = {"script", "style", "head", "title", "template", "noscript"}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "wbr"}
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_BLOCK = _HEADINGS | {"blockquote", "div", "ol", "p", "pre", "table", "tr", "ul"}
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|opacity\s*:\s*0(?:\.0+)?\s*(?:;|$)"
    r"|max-height\s*:\s*0(?:px|pt|em|%)?\s*(?:;|!|$)",
    re.IGNORECASE,
)
_FONT_SIZE = re.compile(r"font-size\s*:\s*(\d{1,4}(?:\.\d{1,4})?)", re.IGNORECASE)
# Nothing in a tag reaches over the next "<", so the time stays proportional to the length; the
# standard library's parser needs minutes for a small page of tags left open.
_TAG = re.compile(
    r"<(/?)([a-zA-Z][\w:-]*)((?:[^<>\"']*(?:\"[^\"<]*\"|'[^'<]*'))*[^<>\"']*|[^<>]*)>|<[!?/][^<>]*>"
)
_ATTRIBUTE = re.compile(r"([^\s=\"'/]+)\s*(?:=\s*(\"[^\"]*\"|'[^']*'|[^\s\"']+))?")
_END_OF_CODE = re.compile(r"</(?:script|style)", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
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
    last = html.rfind("-->") + 3
    html = _COMMENT.sub("", html[:last]) + html[last:]
    reader, position = _Reader(), 0
    while tag := _TAG.search(html, position):
        reader.say_data(html[position : tag.start()])
        position = tag.end()
        closing, name, attributes = (tag[1], (tag[2] or "").lower(), tag[3])
        if closing:
            reader.close_tag(name)
        elif name in ("script", "style"):
            end = _END_OF_CODE.search(html, position)
            position = end.start() if end else len(html)
        elif name:
            reader.open_tag(name, _attributes(attributes))
    reader.say_data(html[position:])
    reader.end_link()
    return HtmlText(_tidy("".join(reader.out)), reader.links)


def _attributes(text: str) -> dict[str, str]:
    found = _ATTRIBUTE.findall(text)
    return {name.lower(): unescape(value.strip("\"'")) for name, value in found}


@dataclass(frozen=True)
class _Open:
    """A tag that is open, and what holds for all inside it."""

    tag: str
    hidden: bool = False
    tiny: bool = False  # no size of letters: newsletters set it on a frame and undo it inside
    quoted: bool = False


class _Reader:
    """Collects the text and the links."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.links: list[Link] = []
        self._open: list[_Open] = []
        self._link: tuple[str, int] | None = None  # address, where its text begins in `out`

    def open_tag(self, tag: str, values: dict[str, str]) -> None:
        if tag not in _VOID and len(self._open) < _MAX_NESTING:
            self._open.append(self._opened(tag, values))
        if tag in _BLOCK or tag in ("br", "li"):
            self._break(1 if tag in ("br", "li", "tr", "div") else 2)
        if tag == "li":
            self._say("- ")
        if tag == "img" and values.get("alt"):
            self._say(values["alt"])
        if tag in ("a", "area") and values.get("href"):
            self.end_link()
            self._link = (values["href"].strip(), len(self.out))

    def close_tag(self, tag: str) -> None:
        if tag == "a":
            self.end_link()
        for i in range(len(self._open) - 1, -1, -1):
            if self._open[i].tag == tag:
                del self._open[i:]
                break
        if tag in _BLOCK:
            self._break(1 if tag in ("tr", "div") else 2)
        elif tag in ("td", "th"):
            self._say(" ")

    def say_data(self, data: str) -> None:
        if data:
            data = unescape(data)
            self._say(data if self._inside("pre") else re.sub(r"\s+", " ", data))

    def end_link(self) -> None:
        if self._link is None:
            return
        address, start = self._link
        self._link = None
        visible = " ".join("".join(self.out[start:]).split())[:_MAX_VISIBLE]
        scheme = address.partition(":")[0].lower()
        if address.startswith("#") or scheme in ("mailto", "tel", "cid", "javascript"):
            return
        if self._here.hidden and not visible:
            return
        same = _bare(visible) == _bare(address)
        self.links.append(Link(address, "" if same else visible))
        if not same or not visible:
            self._say(f" ({address})" if visible else address)

    def _opened(self, tag: str, values: dict[str, str]) -> _Open:
        style = values.get("style", "")
        size = _FONT_SIZE.search(style)
        return _Open(
            tag,
            self._here.hidden
            or tag in _UNSEEN
            or "hidden" in values
            or bool(_HIDDEN.search(style)),
            float(size[1]) == 0 if size else self._here.tiny,
            self._here.quoted or tag == "blockquote" or "gmail_quote" in values.get("class", ""),
        )

    @property
    def _here(self) -> _Open:
        return self._open[-1] if self._open else _Open("")

    def _inside(self, tag: str) -> bool:
        return any(opened.tag == tag for opened in self._open)

    def _say(self, text: str) -> None:
        if not (self._here.hidden or self._here.tiny):
            self.out.append(text)

    def _break(self, lines: int) -> None:
        if not self._here.hidden:
            self.out.append("\n" * lines + ("> " if self._here.quoted else ""))


def _bare(address: str) -> str:
    return re.sub(r"^https?://|/$", "", address.strip().lower())


def _tidy(text: str) -> str:
    text = text.replace("\u00a0", " ").replace("\r", "")
    lines = [re.sub(r"[ \t]{2,}", " ", line).strip() for line in text.split("\n")]
    return re.sub(r"\n(?:>?\n)+", "\n\n", "\n".join(lines)).strip()
