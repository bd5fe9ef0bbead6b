"""The simple model that an encoder has to beat: TF-IDF and logistic regression."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Probabilities = list[list[float]]  # one row a text, one column a class


def tfidf_probabilities(
    texts: Sequence[str], classes: Sequence[int], unseen: Sequence[str], count: int
) -> Probabilities:
    """Return the class probabilities of `unseen`, learnt from `texts`; an absent class gets 0.

    Features are word 1-2-grams, character 2-5-grams (Wang and Manning 2012 found such baselines
    hard to beat on short texts), or both: whichever predicts best in cross-validation over
    `texts`. Words suit mails and characters URLs, and a weak baseline would flatter the model.
    Raises ValueError where `texts` hold one class only.
    """
    if len(set(classes)) < 2:
        raise ValueError(
            f"the train split holds {len(texts)} rows of {len(set(classes))} class: "
            "a classifier needs two, so add rows of the other"
        )
    model = _best_model(list(texts), list(classes))
    table = [[0.0] * count for _ in unseen]
    for row, predicted in zip(table, model.predict_proba(list(unseen)), strict=True):
        for index, probability in zip(model.classes_, predicted, strict=True):
            row[index] = float(probability)
    return table


def _best_model(texts: list[str], classes: list[int]) -> "Pipeline":
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.pipeline import Pipeline, make_union

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    characters = TfidfVectorizer(analyzer="char", ngram_range=(2, 5), sublinear_tf=True)
    both = make_union(words, characters)
    model = Pipeline([("features", both), ("head", LogisticRegression(C=10, max_iter=1000))])
    folds = min(5, *Counter(classes).values())
    if folds < 2:  # a class of one row cannot be held out
        return model.fit(texts, classes)
    search = GridSearchCV(
        model,
        {"features": [words, characters, both]},
        scoring="neg_log_loss",
        cv=StratifiedKFold(folds, shuffle=True, random_state=0),
    )
    return search.fit(texts, classes).best_estimator_
