"""The simple model that a preference model has to beat: words and length of the two answers."""

from collections.abc import Sequence

Pair = tuple[str, str]  # chosen, rejected


def liked(pairs: Sequence[Pair], unseen: Sequence[Pair]) -> list[tuple[float, float]]:
    """Return how much each answer of the `unseen` pairs is liked, learnt from `pairs`.

    Logistic regression without an intercept on the difference of two answers' features is the
    Bradley-Terry model: features are TF-IDF of words, and the logarithm of the length.
    """
    import numpy as np
    from scipy.sparse import csr_matrix, hstack, vstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    def lengths(answers: Sequence[str]) -> csr_matrix:
        return csr_matrix([[np.log1p(len(answer))] for answer in answers])

    words = TfidfVectorizer(token_pattern=r"\w+|[^\w\s]", sublinear_tf=True)
    words.fit([answer for pair in pairs for answer in pair])

    def features(answers: Sequence[str]) -> csr_matrix:
        return csr_matrix(hstack([words.transform(list(answers)), lengths(answers)]))

    chosen, rejected = (features([pair[side] for pair in pairs]) for side in (0, 1))
    gaps = vstack([chosen - rejected, rejected - chosen])
    model = LogisticRegression(fit_intercept=False, max_iter=1000)
    model.fit(gaps, [1] * len(pairs) + [0] * len(pairs))
    table = [features([p[side] for p in unseen]) @ model.coef_[0] for side in (0, 1)]
    return [(float(one), float(other)) for one, other in zip(*table, strict=True)]
