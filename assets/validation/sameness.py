"""As which texts a sample is the same as another, and has been seen when it is scored.

A text of its own, such as a post or a mail, is compared by itself. A short answer ("Thanks!", a
class, a name) is natural to many prompts: there the prompts are compared of samples that have that
very answer. A title stands in several pairs of titles, a document answers several queries: what is
the same then is the whole comparison, but no title and no document may be on two sides.
"""

from dataclasses import dataclass

from assets.records import Sample, content_hash
from assets.similarity.words import some_words, words
from assets.validation.reading import learnt_texts

SHORT_ANSWER = 12  # words; a shorter one is compared together with its prompt


@dataclass(frozen=True)
class SeenText:
    """A text that may stand on one side only."""

    compared: str
    shown: str  # what a person is told


def sample_text(sample: Sample) -> str:
    """Return the text that two samples share which teach the same."""
    fields = sample.fields
    if "chosen" in fields:
        pair = sorted((fields["chosen"], fields.get("rejected", "")), key=some_words)
        return _scoped(fields.get("prompt", ""), *pair)
    if "anchor" in fields:
        return _scoped(fields["anchor"], fields.get("positive", ""), fields.get("negative", ""))
    [seen] = seen_texts(sample)
    return seen.compared


def seen_texts(sample: Sample) -> list[SeenText]:
    """Return the texts that a model must not have been trained on when it is scored on them."""
    fields = sample.fields
    if "anchor" in fields:
        texts = (fields.get(name, "") for name in ("anchor", "positive"))
        return [SeenText(text, text) for text in texts]
    answers = [fields[name] for name in ("completion", "chosen", "rejected") if name in fields]
    if not answers:
        [text] = learnt_texts(sample).values()
        return [SeenText(text, text)]
    return [SeenText(_answer(fields.get("prompt", ""), answer), answer) for answer in answers]


def _answer(prompt: str, answer: str) -> str:
    return answer if len(words(answer)) >= SHORT_ANSWER else _scoped(prompt, answer)


def _scoped(text: str, *scope: str) -> str:
    """Return the text with every word marked, so that it shares none outside the scope."""
    found = words(text)
    mark = content_hash(["" if found else text.strip(), *map(some_words, scope)])
    return " ".join(f"{word}_{mark}" for word in found) or f"_{mark}"
