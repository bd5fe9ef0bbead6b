"""The simple model that an encoder has to beat: TF-IDF and logistic regression."""

from collections.abc import Sequence

Probabilities = list[list[float]]  # one row a text, one column a class


def tfidf_probabilities(
    texts: Sequence[str], classes: Sequence[int], unseen: Sequence[str], count: int
) -> Probabilities:
    """Return the class probabilities of `unseen`, learnt from `texts`; an absent class gets 0.

    Features are word 1-2-grams and character 2-5-grams (Wang and Manning 2012 found such baselines
    hard to beat on short texts). Raises where `texts` hold one class only.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    if len(set(classes)) < 2:
        raise ValueError(
            f"the train split holds {len(texts)} rows of {len(set(classes))} class: "
            "a classifier needs two, so add rows of the other"
        )
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char", ngram_range=(2, 5), sublinear_tf=True),
    )
    model = make_pipeline(features, LogisticRegression(C=10, max_iter=1000))
    model.fit(list(texts), list(classes))
    table = [[0.0] * count for _ in unseen]
    for row, predicted in zip(table, model.predict_proba(list(unseen)), strict=True):
        for index, probability in zip(model.classes_, predicted, strict=True):
            row[index] = float(probability)
    return table
