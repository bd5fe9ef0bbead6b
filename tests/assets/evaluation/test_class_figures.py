import numpy as np
import pytest

from assets.evaluation.class_figures import (
    calibration_error,
    confusion,
    figures,
    rank_auc,
    reliability,
)

WANTED = [0, 0, 1, 1]
TABLE = [[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.2, 0.8]]


def test_the_figures_of_two_classes_speak_of_the_last_label():
    found = figures(WANTED, TABLE)
    assert found["accuracy"] == 0.75
    assert found["roc_auc"] == 1.0
    assert found["f1"] == pytest.approx(0.8)
    assert found["brier"] == pytest.approx((0.01 + 0.36 + 0.09 + 0.04) / 4)
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.4, 0.7, 0.8]).mean())


def test_calibration_error_is_the_gap_between_confidence_and_being_right():
    # bins: 0.6 wrong; 0.7 right; 0.8 right; 0.9 right
    assert calibration_error(WANTED, TABLE) == pytest.approx((0.6 + 0.3 + 0.2 + 0.1) / 4)


def test_an_honest_classifier_has_no_calibration_error():
    wanted, table = [0] * 8 + [1] * 2, [[0.8, 0.2]] * 10
    assert calibration_error(wanted, table) == pytest.approx(0.0)
    assert reliability(wanted, table) == [(pytest.approx(0.8), pytest.approx(0.8), 10)]


def test_certainty_of_one_falls_into_the_last_bin():
    assert reliability([1], [[0.0, 1.0]]) == [(1.0, 1.0, 1)]


def test_rank_auc_equals_sklearns_with_ties():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    wanted = rng.integers(0, 2, 200).astype(float)
    scores = np.round(rng.random(200), 1)
    assert rank_auc(wanted, scores) == pytest.approx(roc_auc_score(wanted, scores))


def test_three_classes_are_judged_one_against_the_rest():
    from sklearn.metrics import roc_auc_score

    wanted = [0, 1, 2, 0, 1, 2]
    table = np.random.default_rng(1).dirichlet([1, 1, 1], 6)
    found = figures(wanted, table.tolist())
    assert found["roc_auc"] == pytest.approx(roc_auc_score(wanted, table, multi_class="ovr"))


def test_a_class_without_test_rows_is_refused_and_named():
    with pytest.raises(ValueError, match=r"none of class 1: raise extraction\.split\.test"):
        figures([0, 0], [[0.9, 0.1], [0.8, 0.2]])


def test_the_confusion_matrix_counts_truth_by_prediction():
    assert confusion(WANTED, TABLE) == [[1, 1], [0, 2]]
