r"""One spelling for each text: what looks the same becomes the same characters.

    "Cafe\u0301 \r\npay\u200bpal"  ->  "Café\npaypal"

Emoji and line breaks stay whole.
"""

import re
import unicodedata

_LINE_BREAK = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_SPACE = re.compile("[\u00a0\u202f]")  # a no-break space is a matter of layout
_TRAILING = re.compile(r"[^\S\n]+(?=\n|\Z)")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # controls, but for tab and line breaks
    "\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff]"  # the last are halves of a character, no UTF-8 holds them
)
# A joiner holds together an emoji (family, profession) or letters of a joining script. Beside a
# Latin letter it only hides one word from another; so do tags, but in the flags of regions.
_STRAY_JOINER = re.compile(
    "(?<![\u0590-\U0010ffff])[\u200c\u200d]|[\u200c\u200d](?![\u0590-\U0010ffff])"
)
_TAGS = re.compile("(\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f)|[\U000e0000-\U000e007f]")


def normalize(text: str) -> str:
    """Return `text` in NFC, with one kind of line break, nothing invisible, no trailing spaces.

    Normalising twice changes nothing more.
    """
    text = _LINE_BREAK.sub("\n", text)
    text = _INVISIBLE.sub("", text)
    text = _TAGS.sub(lambda match: match[1] or "", text)
    while (cleaned := _STRAY_JOINER.sub("", text)) != text:
        text = cleaned
    text = unicodedata.normalize("NFC", _SPACE.sub(" ", text))
    return _TRAILING.sub("", text).strip()
