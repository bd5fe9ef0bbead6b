from assets.validation.rules.label_in_set import Options, reject
from tests.assets.validation.samples import mails, sample


def test_allowed_labels_pass() -> None:
    assert reject(mails(), Options(labels=("safe", "phishing"))) == {}


def test_a_disallowed_label_is_named_with_those_that_are_allowed() -> None:
    rows = [sample("a", body="text", label="spam")]
    assert reject(rows, Options(labels=("safe", "phishing"))) == {
        "a": "label 'spam' is none of: safe, phishing"
    }


def test_a_missing_label_is_rejected_even_where_any_label_is_allowed() -> None:
    rows = [sample("a", body="text"), sample("b", body="text", label=""), sample("c", label="spam")]
    assert reject(rows, Options()) == {"a": "no label", "b": "no label"}
