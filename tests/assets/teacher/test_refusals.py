# ruff: noqa: RUF001
"""Refusals are told from replies that apologise, and from answers that speak of refusing."""

import pytest

from assets.teacher.refusals import is_refusal

REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I\N{RIGHT SINGLE QUOTATION MARK}m sorry, but I can\N{RIGHT SINGLE QUOTATION MARK}t assist "
    "with that request.",
    "I cannot fulfill this request.",
    "I can't provide that information.",
    "Sorry, I can't do that.",
    "I am unable to assist with creating such content.",
    "I'm not able to help with this.",
    "I won't be able to help you with that.",
    "I apologize, but I cannot generate content of that kind.",
    "Unfortunately, I can't help with that.",
    "As an AI language model, I don't have personal experiences.",
    "As a large language model, I cannot browse the web.",
    "I must decline this request.",
    "I must respectfully decline.",
    "**I'm sorry**, I cannot comply.",
    "Es tut mir leid, aber dabei kann ich nicht helfen.",
    "Tut mir leid, ich kann Ihnen dabei nicht weiterhelfen.",
    "Leider kann ich diese Anfrage nicht bearbeiten.",
    "Als KI-Sprachmodell habe ich keine Meinung.",
    "Je suis désolé, mais je ne peux pas vous aider avec cette demande.",
    "Désolée, je ne peux pas répondre à cette question.",
    "En tant qu'IA, je ne peux pas donner d'avis.",
    "Lo siento, pero no puedo ayudarte con eso.",
    "Como modelo de lenguaje, no tengo opiniones.",
    "Desculpe, mas não posso ajudar com isso.",
    "Sinto muito, mas não consigo atender a esse pedido.",
    "Mi dispiace, ma non posso aiutarti con questa richiesta.",
    "Het spijt me, maar ik kan je daar niet mee helpen.",
    "Przepraszam, ale nie mogę w tym pomóc.",
    "Извините, но я не могу помочь с этим запросом.",
    "抱歉，我无法协助完成这个请求。",
    "申し訳ありませんが、そのご要望にはお応えできません。",
    "죄송합니다. 그 요청은 도와드릴 수 없습니다.",
]
REPLIES = [
    "",
    "I'm sorry, we can't ship before Monday.",
    "I'm sorry for the delay. Your parcel left today.",
    "I can't help but admire how small the change was.",
    "Sorry, I can't make it on Friday. Monday?",
    "I can't recommend partition pruning enough.",
    "I cannot believe that this worked.",
    "Unfortunately the warehouse was down, so the import ran late.",
    "As an engineer, I don't trust green dashboards.",
    "Saying 'I'm sorry, but I can't help with that' is what a model does when it is unsure.",
    'Models refuse. "I cannot fulfil this request" is their usual sentence.',
    "Es tut mir leid, dass der Import so spät kam.",
    "Leider kann ich am Freitag nicht kommen.",
    "Ich kann das Buch nur empfehlen.",
    "Je ne peux pas venir vendredi.",
    "No puedo recomendarlo lo suficiente.",
    "Non posso venire venerdì.",
    "slow backfills; partition pruning; calmer on-call",
    "I could not have done it without the team.",
    "We won't ship this feature, and here is why.",
    "No, we do not ship abroad.",
    "抱歉，包裹迟到了。",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_found_by_its_opening(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize("text", REPLIES)
def test_a_text_that_helps_is_no_refusal(text: str) -> None:
    assert not is_refusal(text)


def test_a_long_text_is_looked_at_only_where_it_begins() -> None:
    text = "Backfills are slow. " * 50_000 + "I'm sorry, but I can't help with that."
    assert not is_refusal(text)
