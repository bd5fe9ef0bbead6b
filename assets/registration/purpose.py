"""What a model is for, what it cannot do and how it is asked, told by its rows and its kind."""

from typing import NamedTuple

from assets.questions import Question


class Purpose(NamedTuple):
    """The sentences of a card that depend on what the model is asked."""

    task: str  # it …
    limits: str
    example: str  # what `predict` is given


_WRITES = "It imitates style, and knows no facts: check every statement before publishing it."
_ELSEWHERE = "for texts like those it learnt from: test it on others."
_BY_ROWS_AND_MODEL = {
    ("plain", "causal"): Purpose(
        "goes on with a text, in the manner of the texts that it learnt from",
        _WRITES,
        '["The first lines of a text"]',
    ),
    ("preference", "causal"): Purpose(
        "writes a text for a prompt, leaning to the answers that people preferred",
        f"{_WRITES} It learnt one group's taste, the wrong parts of it too.",
        '["slow backfills; on-call"]',
    ),
    ("retrieval", "score"): Purpose(
        "scores how well a document answers a query, to order what a search has found",
        "It reads query and document together, so that each pair costs a forward pass: let it "
        f"order the best few of a search. Its order holds {_ELSEWHERE}",
        '[{"query": "…", "document": "…"}]',
    ),
}
_BY_MODEL = {
    "causal": Purpose(
        "writes a text for a prompt, in the manner of the texts that it learnt from",
        _WRITES,
        '["slow backfills; on-call"]',
    ),
    "hosted": Purpose(
        "writes a text for a prompt, at the service that tuned it",
        f"{_WRITES} Every prompt leaves for the service, which can withdraw the model or its base.",
        '["slow backfills; on-call"]',
    ),
    "sequence": Purpose(
        "gives a text one of its labels, with a probability",
        f"Its probabilities hold {_ELSEWHERE}",
        '[{"text": "…"}]',
    ),
    "score": Purpose(
        "scores an answer to a prompt: the higher, the more it is like the preferred ones",
        "Its scores order answers to one prompt, and mean nothing across prompts; a model that is "
        "trained against them long enough finds answers that only please them.",
        '[{"prompt": "…", "completion": "…"}]',
    ),
    "tokens": Purpose(
        "finds entities in a text, and masks them",
        "What it misses stays in the masked text: the leak rate above says how often that is so. "
        f"It holds {_ELSEWHERE}",
        '["Ring Maria Lindholm on …"]',
    ),
    "embedding": Purpose(
        "turns a text into a unit vector: texts that belong together have a high product",
        "Vectors of another version are of another space: embed everything anew with a new model. "
        f"Its likeness holds {_ELSEWHERE}",
        '["How do I get a refund?"]',
    ),
}


def purpose_of(asked: Question) -> Purpose:
    """Return the purpose of a model; rows of a new kind are described by the kind of model."""
    return _BY_ROWS_AND_MODEL.get((asked.rows, asked.model)) or _BY_MODEL[asked.model]
