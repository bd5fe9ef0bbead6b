import random
from dataclasses import replace

import pytest

from assets.records import to_rows
from assets.validation.config import ValidationConfig
from assets.validation.gate import gate
from tests.assets.validation.samples import mails, posts, sample


def _config(**section: object) -> ValidationConfig:
    return ValidationConfig.model_validate(section)


def test_without_rules_in_the_yaml_the_kind_of_the_samples_decides() -> None:
    quoting = sample("q", prompt="two words", completion="Two words\nand more of them")
    made = gate([*posts(), quoting], _config())
    assert [(r.id, r.rule) for r in made.rejected] == [("q", "answer_in_prompt")]
    unlabelled = sample("u", subject="Hello", body="a mail that has no label")
    made = gate([*mails(), unlabelled], _config())
    assert [(r.id, r.rule, r.reason) for r in made.rejected] == [("u", "label_in_set", "no label")]


def test_the_sections_labels_reach_the_rule() -> None:
    made = gate(mails(), _config(labels=["safe", "spam"]))
    assert made.counts() == {"rejected_label_in_set": 5}
    assert made.rejected[0].reason == "label 'phishing' is none of: safe, spam"


def test_a_rejected_sample_is_kept_whole_under_the_first_rule_that_it_broke() -> None:
    bad = sample("bad", "eval", prompt="No", completion="No")
    made = gate([*posts(), bad], _config(rules=["length", "answer_in_prompt"]))
    (kept,) = made.rejected
    assert (kept.rule, kept.reason) == ("length", "1 words, at least 2 needed")
    whole = (kept.id, kept.document_id, kept.group_id, kept.split, kept.fields)
    assert whole == ("bad", "d-bad", "g-bad", "eval", bad.fields)


def test_no_sample_is_lost_for_being_like_one_that_another_rule_rejects() -> None:
    text = posts()[0].fields["completion"]
    held_out = sample("a", "test", prompt=text, completion=text)  # breaks answer_in_prompt
    made = gate([held_out, sample("b", prompt="an idea", completion=text)], _config())
    assert [s.id for s in made.validated] == ["b"]


def test_every_sample_lies_on_one_side_in_any_order() -> None:
    rows = [*posts(), *(replace(p, id=f"copy-{p.id}") for p in posts(5))]
    made = gate(rows, _config())
    assert len(made.validated) == 15 and made.counts() == {"rejected_near_duplicate": 5}
    random.Random(3).shuffle(rows)
    again = gate(rows, _config())
    assert to_rows(again.validated) == to_rows(made.validated)
    assert to_rows(again.rejected) == to_rows(made.rejected)


def test_two_samples_of_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="two samples have the id 'p00'"):
        gate([*posts(), posts()[0]], _config())


def test_samples_that_nothing_can_learn_from_are_refused_with_what_they_need() -> None:
    with pytest.raises(ValueError, match=r"hold the fields body, date: .* They need `prompt` and"):
        gate([sample("a", body="text", date="today")], _config())


def test_an_empty_set_stays_empty() -> None:
    assert gate([], _config()).validated == []
