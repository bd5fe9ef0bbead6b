from dataclasses import replace

import pytest

from assets.records import PreferenceExample, RetrievalExample, Sample
from assets.templating.comparisons import (
    preference_problems,
    render_preferences,
    render_retrieval,
    retrieval_problems,
)
from assets.templating.config import TEMPLATES
from assets.templating.kinds import kind_of, read, tokens
from assets.templating.render import MASKED
from assets.templating.tokenizer import END, train_tokenizer

GOOD, BAD = "Boring backfills that finish", "10 backfill hacks!!!"
QUERY, FOUND, OTHER = "why is my rerun slow", "Prune partitions first.", "Invoices are due monthly."


@pytest.fixture(scope="module")
def tokenizer():
    tokenizer = train_tokenizer([GOOD, BAD, QUERY, FOUND, OTHER], 400)
    tokenizer.chat_template = (TEMPLATES / "chatml.jinja").read_text()
    return tokenizer


def sample(**fields: str) -> Sample:
    return Sample("s1", "d1", "g1", "train", fields, "offline")


def test_both_answers_of_a_preference_share_the_masked_prompt(tokenizer) -> None:
    made = render_preferences(
        [sample(prompt="a title", chosen=GOOD, rejected=BAD)], tokenizer, "Be plain.", 200
    )
    (row,) = made.examples
    assert isinstance(row, PreferenceExample)
    assert tokenizer.decode([i for i in row.chosen_labels if i != MASKED]) == GOOD + END
    assert tokenizer.decode([i for i in row.rejected_labels if i != MASKED]) == BAD + END
    prompt = next(n for n, label in enumerate(row.chosen_labels) if label != MASKED)
    assert row.chosen_input_ids[:prompt] == row.rejected_input_ids[:prompt]
    assert preference_problems([row]) == []


def test_a_preference_that_is_too_long_is_cut_and_counted(tokenizer) -> None:
    long = sample(prompt="a title", chosen=GOOD, rejected=BAD * 20)
    made = render_preferences([long], tokenizer, "", 30)
    assert made.truncated == {"s1"}
    assert tokens(made.examples[0]) == 30


def test_an_anchor_keeps_its_positive_and_its_negative(tokenizer) -> None:
    made = render_retrieval(
        [
            sample(anchor=QUERY, positive=FOUND, negative=OTHER),
            sample(anchor=QUERY, positive=FOUND),
        ],
        tokenizer,
        100,
    )
    with_negative, without = made.examples
    assert isinstance(with_negative, RetrievalExample) and isinstance(without, RetrievalExample)
    assert [tokenizer.decode(ids) for ids in with_negative.input_ids] == [QUERY, FOUND, OTHER]
    assert len(without.input_ids) == 2 and without.negative == ""
    assert retrieval_problems([with_negative]) == []
    assert "1 of 2 rows have no negative" in retrieval_problems([with_negative, without])[0]


def test_equal_answers_and_equal_texts_are_refused_before_training(tokenizer) -> None:
    same = render_preferences(
        [sample(prompt="a title", chosen=GOOD, rejected=GOOD)], tokenizer, "", 99
    ).examples[0]
    assert isinstance(same, PreferenceExample)
    assert "same tokens for chosen and rejected" in preference_problems([same])[0]
    nothing = replace(same, chosen_labels=[MASKED] * len(same.chosen_labels))
    assert "no token to learn" in preference_problems([nothing])[0]
    (copy,) = render_retrieval([sample(anchor=QUERY, positive=QUERY)], tokenizer, 99).examples
    assert isinstance(copy, RetrievalExample)
    assert "one text as anchor and positive" in retrieval_problems([copy])[0]


def test_the_kind_follows_from_the_fields_and_must_be_the_objectives() -> None:
    title = sample(prompt="a title", chosen=GOOD, rejected=BAD)
    assert kind_of([title], None) == "preference"
    assert kind_of([sample(anchor=QUERY, positive=FOUND)], None) == "retrieval"
    assert kind_of([sample(body="good", label="safe")], "text") == "text"
    with pytest.raises(ValueError, match="the objective needs completion, prompt"):
        kind_of([title], "chat")
    with pytest.raises(ValueError, match="name the teacher task"):
        kind_of([sample(body="only a text")], None)


def test_rows_are_read_back_as_what_they_were(tokenizer) -> None:
    made = render_retrieval([sample(anchor=QUERY, positive=FOUND)], tokenizer, 100).examples
    assert list(read("retrieval", [row.to_row() for row in made])) == made
