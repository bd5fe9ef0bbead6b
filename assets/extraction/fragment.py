r"""Text that may hold a little HTML, as messages do.

"<p>Sounds good &amp; fair</p><p>Tuesday?</p>"   ->  "Sounds good & fair\n\nTuesday?"
"a < b, I <3 it"                                 ->  the same
"""

import re
from html import unescape

from assets.extraction.mail.html_text import read_html

_BREAKS = r"p|br|div|li|ul|ol|h[1-6]|blockquote|table|tr"
_TAG = re.compile(rf"</?(?:{_BREAKS}|a|b|i|u|em|strong|span|font|img)(?:\s[^<>]*)?/?>", re.I)
_BREAK = re.compile(rf"</?(?:{_BREAKS})(?:\s[^<>]*)?/?>", re.I)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|amp|lt|gt|quot|apos|nbsp);", re.I)
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


def read_fragment(text: str) -> str:
    """Return the text as its reader saw it; where no tag breaks lines, its own breaks do."""
    if _TAG.search(text):
        html = text if _BREAK.search(text) else _LINE_BREAK.sub("<br>", text)
        return read_html(html).text
    return _ENTITY.sub(lambda match: unescape(match[0]), text).strip()
