"""Is this text a refusal? By the openings that models use, in the languages that they use most.

    "I'm sorry, but I can't help with that."                a refusal
    "Es tut mir leid, aber dabei kann ich nicht helfen."    a refusal
    "I'm sorry, we can't ship before Monday."               somebody's reply

Whoever apologises speaks of the matter, a model of helping: "cannot" counts only with a verb of
help or of compliance. What stands later in a text is never looked at.
"""

import re
import unicodedata
from functools import cache

_OPENING = 300  # characters: a refusal says so at once

_SORRY = (
    r"(?:(?:i'm |i am |we're )?(?:\w+ )?sorry|i apologi[sz]e|my apologies|unfortunately"
    r"|(?:es )?tut mir (?:\w+ )?leid|leider|entschuldigung"
    r"|(?:je suis )?(?:\w+ )?désolée?|je regrette|malheureusement"
    r"|lo siento(?: mucho)?|lo lamento|desculpe|lamento|sinto muito|infelizmente"
    r"|mi dispiace|purtroppo|het spijt me|helaas|przepraszam|przykro mi|niestety"
    r"|извините|простите|к сожалению|мне жаль)\W{0,3}"
    r"(?:but|aber|mais|pero|mas|ma|maar|ale|но)?\W{0,2}"
)
# Two columns a language: it is impossible — to help. Up to sixty characters of the same sentence
# stand between them.
_UNABLE_TO_HELP = (
    (
        r"(?:i|we)(?: can't| cannot| can not|'m (?:not able|unable) to| am (?:not able|unable) to"
        r"| won't(?: be able to)?| will not)",
        r"\b(?:assist\b|comply|fulfill?\b|help (?:you )?(?:with (?:that|this|your)|to |in )"
        r"|help you\b|help\W*$|(?:do|provide|generate|create|write|produce|answer|share|discuss"
        r"|complete|support|continue)(?:ing)? (?:with )?(?:that|this|such|your request|the request"
        r"|content|any (?:content|information)))",
    ),
    (r"(?:i|we) must", r"\b(?:decline|refuse)\b"),
    (
        r"(?:(?:dabei|damit|hierbei|das|diese \w+) )?(?:ich (?:kann|darf|werde)|(?:kann|darf) ich)",
        r"(?:nicht|keine?\w*)\b.{0,40}\b(?:helfen|weiterhelfen|unterstützen|bearbeiten|beantworten"
        r"|erfüllen|nachkommen|behilflich)",
    ),
    (
        r"je ne (?:peux|puis|suis)",
        r"\bpas\b.{0,30}\b(?:aider|répondre|assister|satisfaire|fournir)",
    ),
    (r"no (?:puedo|podré)", r"\b(?:ayud|asistir|responder|cumplir|proporcionar|atender)"),
    (r"(?:eu )?não (?:posso|consigo)", r"\b(?:ajud|auxiliar|responder|atender|cumprir|fornecer)"),
    (r"non (?:posso|sono in grado)", r"\b(?:aiutar|assister|risponder|soddisfar|fornir)"),
    (
        r"(?:ik kan|(?:daar|daarmee|dat) kan ik)",
        r"\b(?:niet|geen)\b.{0,30}\b(?:helpen|assisteren|voldoen|beantwoorden)",
    ),
    (r"nie (?:mogę|jestem w stanie)", r"\b(?:pomóc|odpowiedzieć|spełnić|zrealizować)"),
    (r"(?:я )?не (?:могу|смогу)", r"\b(?:помочь|ответить|выполнить|предоставить)"),
)
_AS_A_MODEL = (
    r"as an? (?:\w+ ){0,2}(?:ai|language model|artificial intelligence)\b.{0,60}"
    r"(?:can't|cannot|unable|not able|don't|do not)",
    r"als (?:eine? )?(?:ki|sprachmodell|künstliche intelligenz)\b.{0,60}(?:nicht|keine?\w*)\b",
    r"en tant qu(?:e |')(?:une? )?(?:ia|intelligence artificielle|modèle)\b.{0,60}\bpas\b",
    r"como (?:una? |uma? )?(?:modelo de l|ia\b|intelig[eê]ncia artificial).{0,60}\bn(?:o|ão)\b",
    r"(?:come|in quanto) (?:modello linguistico|ia|intelligenza artificiale)\b.{0,60}\bnon\b",
    r"als (?:een )?(?:ai|taalmodel)\b.{0,60}\b(?:niet|geen)\b",
    r"как (?:языковая модель|искусственный интеллект|ии)\b.{0,60}\bне\b",  # noqa: RUF001
    r"作为(?:一个|一款)?(?:ai|人工智能|大?语言模型)",
)
# No spaces divide the words of these, so the whole opening stands here.
_WHOLE = (
    r"(?:(?:很|非常)?(?:抱歉|对不起|對不起)\W?)?(?:但)?我?(?:无法|不能|無法)"
    r"(?:\w{0,4})(?:提供|协助|帮助|回答|满足|完成|協助|幫助)",
    r"(?:申し訳|すみません|恐れ入ります).{0,40}(?:できません|致しかねます|いたしかねます)",
    r"(?:죄송합니다|죄송하지만).{0,40}(?:수 없습니다|어렵습니다)",
)


def is_refusal(text: str) -> bool:
    """Return whether a text begins as a model's refusal does."""
    plain = unicodedata.normalize("NFKC", text[: 4 * _OPENING])
    plain = plain.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").casefold()
    opening = re.sub(r"^[\W_]+", "", " ".join(plain.replace("**", "").split()))[:_OPENING]
    return any(pattern.match(opening) for pattern in _patterns())


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    unable = [rf"(?:{_SORRY})?{no}\b[^.!?]{{0,60}}?{verb}" for no, verb in _UNABLE_TO_HELP]
    short = rf"{_SORRY}(?:can't|cannot|kann nicht) (?:help|assist|comply|do that|helfen)"
    return tuple(map(re.compile, [*unable, short, *_AS_A_MODEL, *_WHOLE]))
