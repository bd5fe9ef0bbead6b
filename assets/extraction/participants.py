"""Who wrote the messages of an export, and which of them is its owner.

    FROM           SENDER PROFILE URL                      TO
    Anna Lindholm  https://www.linkedin.com/in/anna-l?x=1  You
    You            https://LinkedIn.com/in/Ida-Brandt/     Anna Lindholm

A person is known by their profile, else by their name: profiles differ in case and query, names in
titles. The owner is in every conversation.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

_HOST = re.compile(r"^(?:https?://)?(?:[\w-]+\.)*linkedin\.com(?=/)", re.IGNORECASE)
_PATH = re.compile(r"[^?#]*")


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a message, as a row names it."""

    name: str
    profile: str = ""


class Participants:
    """All who are named in an export, and what each is known by."""

    def __init__(self, parties: Iterable[Party]) -> None:
        seen = list(parties)
        self._profiles: dict[str, set[str]] = {}  # by name
        self._names: dict[str, Counter[str]] = {}  # spellings, by key
        for party in seen:
            if party.profile and party.name:
                self._profiles.setdefault(_plain(party.name), set()).add(profile_key(party.profile))
        for party in seen:
            if party.name and not is_you(party.name):
                self._names.setdefault(self.key(party), Counter())[party.name] += 1

    def key(self, party: Party) -> str:
        """Return what a person is known by in all rows; empty for nobody."""
        if party.profile:
            return profile_key(party.profile)
        profiles = self._profiles.get(_plain(party.name), set())
        return next(iter(profiles)) if len(profiles) == 1 else _plain(party.name)

    def name(self, key: str) -> str:
        """Return a person's name as most rows spell it; empty where only the profile is known."""
        spelled = self._names.get(key)
        return min(spelled, key=lambda name: (-spelled[name], name)) if spelled else ""

    def known_as(self, wanted: str) -> str:
        """Return the key of the person with that name or profile; empty where nobody has it."""
        if _HOST.match(wanted):
            key = profile_key(wanted)
            return key if key in self._names else ""
        plain = _plain(wanted)
        found = [key for key, names in self._names.items() if plain in map(_plain, names)]
        return found[0] if len(found) == 1 else ""


def is_you(name: str) -> bool:
    """Return whether the name is how some exports call their owner."""
    return _plain(name) == "you"


def profile_key(url: str) -> str:
    """Return `/in/anna-l` for each spelling of that address."""
    path = _PATH.match(_HOST.sub("", url.strip()))
    return unquote(path[0] if path else "").casefold().rstrip("/")


def most_present(conversations: Sequence[set[str]]) -> str:
    """Return who is in most of the conversations; empty where that is more than one person."""
    counts = Counter(key for keys in conversations for key in keys if key)
    ranked = counts.most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return ""
    return ranked[0][0]


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
