"""What the writer of a mail wrote: without the mail that it answers and without the signature.

    Sounds good.                          kept
    On Mon, 2 Mar 2026, Ida wrote:        dropped
    > Shall we?                           dropped
    --                                    dropped, with all that follows
    Ida Brandt, Harbourline

Answers are recognised in English, German, French, Spanish, Italian, Polish and Dutch.
"""

import re

# English, German, French, Spanish, Italian, Polish, Dutch, in this order throughout.
_ATTRIBUTION = re.compile(
    r"(?:On\b.{4,250}\bwrote|Am\b.{4,250}\bschrieb\b.{0,120}|Le\b.{4,250}\ba écrit"
    r"|El\b.{4,250}\bescribió|Il\b.{4,250}\bha scritto"
    r"|(?:W dniu|Dnia|\w{2,4}\.?,) .{4,250}\bnapisał(?:\(a\)|a)?\b.{0,120}"
    r"|Op\b.{4,250}\bschreef\b.{0,120})\s?:",
    re.DOTALL,
)
_OPENING = re.compile(r"(?:On|Am|Le|El|Il|W dniu|Dnia|Op|\w{2,4}\.?,) ")
_ORIGINAL = re.compile(
    r"[-_]{2,}\s*(?:Original Message|Ursprüngliche Nachricht"
    r"|Message d['\u2019]origine|Mensaje original|Messaggio originale"
    r"|Wiadomość oryginalna|Oorspronkelijk bericht)\s*[-_]{2,}",
    re.IGNORECASE,
)
_FROM_LINE = re.compile(r"\*?(?:From|Von|De|Da|Od|Van)\s?:\*?\s?\S")
_SENT_LINE = re.compile(
    r"\*?(?:Sent|Date|Gesendet|Datum|Envoyé|Enviado|Fecha|Inviato|Data|Wysłano|Verzonden)\s?:"
)
_SIGNATURE = re.compile(r"-- ?")


def own_words(text: str) -> str:
    """Return the text without quoted replies and signature; empty where it is nothing else."""
    lines = text.split("\n")
    kept: list[str] = []
    i = 0
    while i < len(lines):
        line = lines[i].strip()
        written = any(k.strip() for k in kept)
        if _SIGNATURE.fullmatch(lines[i]) or (written and _begins_original(lines, i)):
            break
        if taken := _attribution_lines(lines, i):
            i += taken
            if not _quote_follows(lines, i):
                break
            continue
        if not line.startswith(">"):
            kept.append(lines[i])
        i += 1
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _begins_original(lines: list[str], i: int) -> bool:
    """Return whether Outlook's header of the answered mail begins at line `i`."""
    line = lines[i].strip()
    if _ORIGINAL.fullmatch(line):
        return True
    return bool(_FROM_LINE.match(line)) and any(
        _SENT_LINE.match(following.strip()) for following in lines[i + 1 : i + 4]
    )


def _attribution_lines(lines: list[str], i: int) -> int:
    """Return over how many lines "On … wrote:" goes from line `i`; 0 where there is none."""
    if not _OPENING.match(lines[i].strip(" >")):
        return 0
    for count in (1, 2, 3):
        joined = " ".join(line.strip(" >") for line in lines[i : i + count])
        if _ATTRIBUTION.fullmatch(joined.strip()):
            return count
    return 0


def _quote_follows(lines: list[str], i: int) -> bool:
    following = next((line for line in lines[i:] if line.strip()), "")
    return following.lstrip().startswith(">")
