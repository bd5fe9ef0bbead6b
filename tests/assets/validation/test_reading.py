import pytest

from assets.records import Sample
from assets.validation.reading import Kind, kind_of, learnt_texts
from tests.assets.validation.samples import mails, posts, queries, sample, texts, titles


@pytest.mark.parametrize(
    ("kind", "samples"),
    [
        *(("pair", posts()), ("labelled", mails()), ("preference", titles())),
        *(("retrieval", queries()), ("plain", texts())),
    ],
)
def test_the_fields_tell_the_kind(kind: Kind, samples: list[Sample]) -> None:
    assert kind_of(samples) == kind


def test_further_fields_make_no_other_kind() -> None:
    chat = sample("a", prompt="p", completion="c", history="[]", system="You answer.", tools="[]")
    assert kind_of([chat]) == "pair"
    mail = sample("a", body="b", label="x", gold_label="y", text="a column that is called so")
    assert kind_of([mail]) == "labelled"
    assert learnt_texts(mail) == {"body": "b"}


def test_an_empty_set_has_no_kind() -> None:
    assert kind_of([]) is None


def test_half_a_preference_is_refused_with_what_it_needs() -> None:
    with pytest.raises(ValueError, match=r"fields chosen, prompt: .* `prompt`, `chosen` and `rej"):
        kind_of([sample("a", prompt="p", chosen="c")])
