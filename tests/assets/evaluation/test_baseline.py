import pytest

from assets.evaluation.baseline import tfidf_probabilities

TEXTS = ["verify your account", "account locked, verify", "lunch on friday", "minutes of friday"]


def test_the_baseline_learns_words_of_a_class():
    table = tfidf_probabilities(TEXTS, [1, 1, 0, 0], ["please verify", "see you friday"], 2)
    assert table[0][1] > 0.5 > table[1][1]
    assert all(sum(row) == pytest.approx(1.0) for row in table)


def test_the_baseline_gives_the_same_numbers_twice():
    twice = [tfidf_probabilities(TEXTS, [1, 1, 0, 0], ["verify"], 2) for _ in range(2)]
    assert twice[0] == twice[1]


def test_a_class_absent_from_the_train_split_gets_no_probability():
    table = tfidf_probabilities(TEXTS, [2, 2, 0, 0], ["verify"], 3)
    assert table[0][1] == 0.0


def test_one_class_only_is_refused():
    with pytest.raises(ValueError, match="4 rows of 1 class"):
        tfidf_probabilities(TEXTS, [1, 1, 1, 1], ["verify"], 2)
