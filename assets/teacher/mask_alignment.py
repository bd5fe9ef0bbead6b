"""What each mark of a masked text stands for in the original, followed word by word.

text     "Maria Lindholm: ring +44 20 7946 0958."
masked   "[NAME]: ring [PHONE]."
spans    [{"start": 0, "end": 14, "label": "NAME"}, {"start": 21, "end": 37, "label": "PHONE"}]
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from assets.loading.entities import Span

MARKS = (
    *("NAME", "EMAIL", "PHONE", "ADDRESS", "IBAN", "CARD", "ID", "DATE_OF_BIRTH", "SECRET"),
    *("USERNAME", "COMPANY", "OTHER"),
)
MARK = re.compile(rf"\[(?:{'|'.join(MARKS)})\]")
_NUMBERS_ONLY = ("[PHONE]", "[CARD]")
_LONGEST_MARK = 16  # tokens that one mark may stand for
_MOST_READINGS = 300  # of what the marks so far stand for; a text of marks alone has any number
_TOKEN = re.compile(rf"{MARK.pattern}|\w+|\n|[^\w\s]")


class _Token(NamedTuple):
    text: str
    start: int
    end: int
    glued: bool  # to the one before, with no space between


_Step = dict[int, set[int]]  # one token further: from where in the original to where it may lead


def changed(text: str, masked: str) -> str:
    """Return what a mask changed that it does not mark, in words; empty where there is nothing."""
    tokens = _tokens(text)
    return _problem(tokens, *_followed(tokens, _tokens(masked)))


def spans_of(text: str, masked: str) -> list[Span]:
    """Return what the marks stand for, in the order of the text.

    Raises ValueError where something else was changed.
    """
    tokens, marked = _tokens(text), _tokens(masked)
    steps, whole = _followed(tokens, marked)
    if wrong := _problem(tokens, steps, whole):
        raise ValueError(wrong)
    spans, place = [], 0
    for token, ends in zip(marked, _best(tokens, marked, steps), strict=True):
        end = ends[place]
        if tokens[place].text != token.text:
            spans += _span(tokens[place:end], token.text)
        place = end
    return spans


def _best(tokens: list[_Token], marked: list[_Token], steps: list[_Step]) -> list[dict[int, int]]:
    """Return for each step where it leads from a place, on the best way to the end.

    Of "ring a.b@c.example. Tom" masked as "ring [EMAIL]. [NAME]", [EMAIL] could be "a". The best
    way is the one on which spaces stand in the text where they stand in the masked text.
    """
    costs, chosen = {len(tokens): 0}, list[dict[int, int]]()
    for token, step in zip(reversed(marked), reversed(steps), strict=True):
        ways = {
            place: min((costs[end], end) for end in ends & costs.keys())
            for place, ends in step.items()
            if ends & costs.keys()
        }
        chosen.append({place: end for place, (_, end) in ways.items()})
        costs = {i: cost + (tokens[i].glued != token.glued) for i, (cost, _) in ways.items()}
    return chosen[::-1]


def _followed(tokens: list[_Token], marked: list[_Token]) -> tuple[list[_Step], bool]:
    """Return a step for each token of the masked text, and whether all could be followed.

    Where a mark stands, words may be skipped; a mark that was in the original already is itself.
    """
    places, steps = {0}, list[_Step]()
    for token in marked:
        step = {i: {i + 1} for i in places if i < len(tokens) and tokens[i].text == token.text}
        if not step and MARK.fullmatch(token.text):
            step = {i: set(_ends(tokens, i, token.text)) for i in places}
        places = {end for ends in step.values() for end in ends}
        if not places or len(places) > _MOST_READINGS:
            return steps, False
        steps.append(step)
    return steps, True


def _problem(tokens: list[_Token], steps: list[_Step], whole: bool) -> str:
    if not whole:
        return f"something else than personal data was changed, near word {len(steps) + 1}"
    ends = set[int]().union(*steps[-1].values()) if steps else {0}
    return "" if len(tokens) in ends else "the end of the text is missing"


def _ends(tokens: list[_Token], start: int, mark: str) -> Iterator[int]:
    """Yield where what a mark stands for may end: on its line, and a number holds no words."""
    for end, (token, *_) in enumerate(tokens[start : start + _LONGEST_MARK], start=start + 1):
        if token == "\n" and mark != "[ADDRESS]":
            return
        if mark in _NUMBERS_ONLY and token.isalpha() and len(token) > len("ext"):
            return
        yield end


def _span(hidden: list[_Token], mark: str) -> list[Span]:
    words = [token for token in hidden if token.text != "\n"]
    return [Span(start=words[0].start, end=words[-1].end, label=mark[1:-1])] if words else []


def _tokens(text: str) -> list[_Token]:
    """Return words and signs; a line break counts once, and not at the ends of the text."""
    found, end, broken = list[_Token](), 0, True  # broken: a line break, or nothing, came before
    for match in _TOKEN.finditer(text):
        word, start = match[0], match.start()
        if word != "\n" or not broken:
            found.append(_Token(word, start, match.end(), not broken and start == end))
        end, broken = match.end(), word == "\n"
    return found[:-1] if found and broken else found
