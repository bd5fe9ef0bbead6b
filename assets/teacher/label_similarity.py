"""Labels by an embedding model: how like a text's sentences are to what is said of each label.

    "The zip broke. No reply." and {positive: The customer is happy., negative: …}
    -> {"positive": 0.11, "negative": 0.19}

A text's score for a label is the mean over its sentences: what a review is about fills its vector,
and how it is meant often stands in one sentence of several.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from assets.embedding import DECIMALS, embed
from assets.records import Document
from assets.teacher.labelling import LabelOptions, is_scored, labelled, text_of
from assets.teacher.protocol import Checked, Fields, Refused

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# A description under several wordings stands for its label better than under one (CLIP's
# prompt ensembles, Radford et al. 2021).
_WORDINGS = ("{}", "This text says: {}", "A text of which this is true: {}")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[\u3002\uff01\uff1f])|\n+")

Scores = dict[str, float]  # by label
Described = list[list[str]]  # what stands for one label: sets of texts that count the same


def described(options: LabelOptions, examples: Mapping[str, Sequence[str]]) -> dict[str, Described]:
    """Return the wordings of each label's description, and its examples' sentences if any."""
    found: dict[str, Described] = {}
    for label, words in options.labels.items():
        sentences = [s for example in examples.get(label, ()) for s in sentences_of(example)]
        wordings = [wording.format(words) for wording in _WORDINGS]
        found[label] = [wordings, sentences] if sentences else [wordings]
    return found


def sentences_of(text: str) -> list[str]:
    """Return the sentences of a text; the text itself where it has none."""
    return [s for part in _SENTENCE_END.split(text) if (s := part.strip())] or [text]


def scores(texts: Sequence[str], labels: Mapping[str, Described], model: str) -> list[Scores]:
    """Return each text's mean similarity to each label."""
    import numpy as np

    if not texts:
        return []
    prototypes = np.stack([_prototype(label, model) for label in labels.values()])
    sentences = [sentences_of(text) for text in texts]
    counts = np.array([len(found) for found in sentences])
    vectors = embed([sentence for found in sentences for sentence in found], model)
    starts = np.concatenate([[0], counts.cumsum()[:-1]])
    means = np.add.reduceat(vectors @ prototypes.T, starts) / counts[:, None]
    return [dict(zip(labels, map(float, row), strict=True)) for row in means.round(DECIMALS)]


def _prototype(described: Described, model: str) -> "NDArray[np.float64]":
    import numpy as np

    means = [embed(texts, model).mean(axis=0, dtype=np.float64) for texts in described]
    return np.mean(means, axis=0)


def label_offline(
    documents: Sequence[Document], labels: Mapping[str, Described], options: LabelOptions
) -> dict[str, list[Fields] | Refused]:
    """Return the label that each text is most like, unless another is nearly as near."""
    made: dict[str, list[Fields] | Refused] = {}
    asked: list[Document] = []
    for document in documents:
        try:
            if is_scored(document, options):
                made[document.id] = [labelled(document, "", options)]
            else:
                asked.append(document)
        except ValueError as error:
            made[document.id] = Refused(str(error))
    found = scores([text_of(d) for d in asked], labels, options.embedding_model)
    for document, of_labels in zip(asked, found, strict=True):
        made[document.id] = _outcome(document, of_labels, options)
    return made


def _outcome(document: Document, found: Scores, options: LabelOptions) -> list[Fields] | Refused:
    best, second = sorted(found, key=lambda label: -found[label])[:2]
    margin = round(found[best] - found[second], DECIMALS)
    if margin < options.min_margin:
        return Refused(
            f"{best} and {second} are {margin:.3f} apart, which is less than min_margin "
            f"{options.min_margin:g}"
        )
    return [labelled(document, best, options)]


def contradicted(
    checked: Sequence[Checked], labels: Mapping[str, Described], options: LabelOptions
) -> dict[str, str]:
    """Return the samples whose label the embedding model puts far behind another one."""
    asked = [c for c in checked if not is_scored(c.document, options)]
    found = scores([text_of(c.document) for c in asked], labels, options.embedding_model)
    reasons: dict[str, str] = {}
    for each, of_labels in zip(asked, found, strict=True):
        label = each.sample.fields["label"]
        best = max(of_labels, key=lambda other: of_labels[other])
        margin = round(of_labels[best] - of_labels.get(label, 0.0), DECIMALS)
        if margin >= options.contradiction_margin:
            reasons[each.sample.id] = (
                f"labelled {label}, but {margin:.3f} more like {best} by the embedding model"
            )
    return reasons
