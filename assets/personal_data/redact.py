"""Personal data becomes pseudonyms: the same person, the same pseudonym, in every retrain.

    "Ask Jane.Doe@harbourline.example or +44 20 7946 0958"
    -> "Ask person-3fa2c1@harbourline.example or <phone-1a2b3c>"

An address keeps its domain, a link stays a link. The people whom a source names become
`<name-3fa2c1>`, wherever they are named. Redacting twice changes nothing more.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence

from assets.personal_data.checksums import is_iban, luhn
from assets.personal_data.names import find_names
from assets.personal_data.phones import find_phones

_URL = re.compile(
    r"(?:https?|ftp)://[^\s<>\"]+"
    r"|(?<![\w@.-])(?:[\w-]{1,63}\.)+[a-z]{2,24}(?::\d{1,5}|[/?#])[^\s<>\"]*",
    re.IGNORECASE,
)
_AT = r"(@|%40)"
_DOMAIN = r"((?:[\w-]{1,63}\.)+(?:xn--[\w-]{1,59}|[^\W\d_]{2,24}))"
_EMAIL = re.compile(rf"(?<!\w)(\w[\w.+'-]{{0,254}}){_AT}{_DOMAIN}(?!\w)", re.IGNORECASE)
_PSEUDONYM = re.compile(r"(?:person|secret)-[0-9a-f]{6}")
_IBAN = re.compile(
    r"(?<!\w)[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?(?!\w)", re.I
)
_CARD = re.compile(r"(?<![\w#])(?:\d[ -]?){12,18}\d(?![\w%]|[ -]?\d)")
_CARD_RANGES = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}"
    r"|35\d{14}|6(?:011|4|5|2)\d{11,16}"
)
_USERINFO = re.compile(r"(\w+://[^/?#\s@:]*)(?::([^/?#\s@]+))?(@.*)", re.DOTALL)
_URL_SECRET = re.compile(
    r"(?<=[?&;#])((?:[\w-]*(?:token|password|passwd|secret|api_?key)|pwd|auth|sig)=)([^&;#\s]+)",
    re.I,
)
_URL_PATH = re.compile(r"(?<=[^/:])[/?#]")
Found = Counter[str]
Name = Callable[[str, str], str]  # (kind, canonical value) -> 6 hex digits


def redact(
    text: str, kinds: Collection[str], key: str, people: Collection[str] = ()
) -> tuple[str, Found]:
    """Return the text with pseudonyms, and how many of each kind there are now.

    Args:
        text: any normalised text.
        kinds: of email, phone, card, iban, secret, name; the others stay as they are.
        key: whoever lacks it cannot tell whose pseudonym it is by trying names.
        people: full names; only these are replaced where `kinds` holds `name`.
    """
    found: Found = Counter()
    name = _namer(key, found)
    named = people if "name" in kinds else ()

    def prose(piece: str) -> str:
        piece = _emails(piece, name) if "email" in kinds else piece
        return _numbers(_names(piece, named, name) if named else piece, kinds, name)

    def url(address: str) -> str:
        address = _url(address, kinds, name)
        return _names_in_path(address, named, name) if named else address

    return _each(_URL, text, url, prose), found


def _each(
    pattern: re.Pattern[str],
    text: str,
    inside: Callable[[str], str],
    outside: Callable[[str], str],
) -> str:
    pieces, position = [], 0
    for match in pattern.finditer(text):
        pieces += [outside(text[position : match.start()]), inside(match[0])]
        position = match.end()
    return "".join([*pieces, outside(text[position:])])


def _namer(key: str, found: Found) -> Name:
    secret = hashlib.sha256(key.encode()).digest()

    def name(kind: str, canonical: str) -> str:
        found[kind] += 1
        value = f"{kind}:{canonical}".encode(errors="replace")
        return hashlib.blake2b(value, key=secret, digest_size=3).hexdigest()

    return name


def _names(text: str, people: Collection[str], name: Name) -> str:
    def replace(prose: str) -> str:
        return _replaced(prose, "<name-{}>", "name", find_names(prose, people), name)

    # An address stays whole: its domain may be a name.
    return _each(_EMAIL, text, str, replace) if "@" in text else replace(text)


def _names_in_path(url: str, people: Collection[str], name: Name) -> str:
    """A profile's address spells its owner: `/in/anna-lindholm-3b2`."""
    path = _URL_PATH.search(url)
    titled = url.title()
    if not path or len(titled) != len(url):
        return url
    hits = [
        (start, end, who)
        for start, end, who in find_names(titled, people)
        if start > path.start() and not url[start:end].isalnum()
    ]
    return _replaced(url, "name-{}", "name", hits, name)


def _replaced(
    text: str, form: str, kind: str, hits: Sequence[tuple[int, int, str]], name: Name
) -> str:
    """Return the text with a pseudonym in place of each hit: start, end, canonical value."""
    pieces, position = [], 0
    for start, end, canonical in hits:
        pieces += [text[position:start], form.format(name(kind, canonical))]
        position = end
    return "".join([*pieces, text[position:]])


def _numbers(text: str, kinds: Collection[str], name: Name) -> str:
    if not any(character.isdigit() for character in text):
        return text
    if "iban" in kinds:
        text = _IBAN.sub(lambda match: _iban(match[0], name), text)
    if "card" in kinds:
        text = _CARD.sub(lambda match: _card(match[0], name), text)
    if "phone" in kinds:
        text = _replaced(text, "<phone-{}>", "phone", find_phones(text), name)
    return text


def _url(url: str, kinds: Collection[str], name: Name) -> str:
    """What stands before a host's @ is no mail address: phishers write the bank's name there."""
    head, rest = "", url
    if userinfo := _USERINFO.fullmatch(url):
        head, password, rest = userinfo.groups()
        if password:
            head += ":" + (_secret(password, name) if "secret" in kinds else password)
    if "secret" in kinds:
        rest = _URL_SECRET.sub(lambda match: match[1] + _secret(match[2], name), rest)
    return head + (_emails(rest, name) if "email" in kinds else rest)


def _secret(value: str, name: Name) -> str:
    return value if _PSEUDONYM.fullmatch(value) else f"secret-{name('secret', value)}"


def _emails(text: str, name: Name) -> str:
    def replace(match: re.Match[str]) -> str:
        local, at, domain = match.groups()
        if _PSEUDONYM.fullmatch(local):
            return match[0]
        return f"person-{name('email', f'{local}@{domain}'.lower())}{at}{domain.lower()}"

    return _EMAIL.sub(replace, text) if "@" in text or "%40" in text else text


def _iban(candidate: str, name: Name) -> str:
    """The pattern may have swallowed the next word, so shorter beginnings are tried too."""
    words = re.split(r"(?=[ -])", candidate)
    for count in range(len(words), 0, -1):
        plain = re.sub(r"[ -]", "", "".join(words[:count])).upper()
        if is_iban(plain):
            return f"<iban-{name('iban', plain)}>{''.join(words[count:])}"
    return candidate


def _card(candidate: str, name: Name) -> str:
    digits = re.sub(r"\D", "", candidate)
    if _CARD_RANGES.fullmatch(digits) and luhn(digits):
        return f"<card-{name('card', digits)}>"
    return candidate
