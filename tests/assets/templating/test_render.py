import pytest
from pydantic import ValidationError

from assets.records import Sample
from assets.templating.config import TEMPLATES, TemplatingConfig, template_names
from assets.templating.render import MASKED, mark_learnt, render_chats, render_texts
from assets.templating.tokenizer import END, train_tokenizer

POST = "Backfills are where 🚚 trust goes to die.\n\nSo we made them boring."


def sample(**fields: str) -> Sample:
    return Sample("s1", "d1", "g1", "train", fields, "offline")


@pytest.fixture(scope="module")
def tokenizer():
    tokenizer = train_tokenizer([POST, "slow backfills; trust", "Write as the author."], 400)
    tokenizer.bos_token = "<|im_start|>"
    return tokenizer


def test_there_are_templates() -> None:
    assert "chatml" in template_names()


@pytest.mark.parametrize("name", template_names())
def test_what_is_learnt_decodes_to_the_answer_and_the_end_token(name: str, tokenizer) -> None:
    tokenizer.chat_template = (TEMPLATES / f"{name}.jinja").read_text()
    made = render_chats(
        [sample(prompt="slow backfills; trust", completion=POST)], tokenizer, "Be brief.", 512
    )
    example = made.examples[0]
    learnt = [label for label in example.labels if label != MASKED]
    assert tokenizer.decode(learnt) == POST + END
    assert len(example.labels) == len(example.input_ids)
    assert example.input_ids[:2] != [tokenizer.bos_token_id] * 2


def test_the_marked_example_shows_the_answer_between_brackets(tokenizer) -> None:
    tokenizer.chat_template = (TEMPLATES / "chatml.jinja").read_text()
    made = render_chats([sample(prompt="trust", completion=POST)], tokenizer, "", 512)
    assert f"⟦{POST}{END}⟧" in mark_learnt(made.examples[0], tokenizer)


def test_a_long_chat_is_cut_and_counted(tokenizer) -> None:
    tokenizer.chat_template = (TEMPLATES / "chatml.jinja").read_text()
    made = render_chats([sample(prompt="trust", completion=POST * 9)], tokenizer, "", 64)
    assert made.truncated == {"s1"}
    assert len(made.examples[0].input_ids) == len(made.examples[0].labels) == 64


def test_a_text_is_built_from_the_fields_that_are_there(tokenizer) -> None:
    mail = sample(subject="Invoice", body="Please pay.", links="", label="phishing")
    fields, labels = ("subject", "body", "links"), ("safe", "phishing")
    made = render_texts([mail], tokenizer, fields, labels, 64)
    assert made.examples[0].text == "Subject: Invoice\nBody: Please pay."
    assert made.examples[0].labels == [1]
    assert not made.truncated


def test_the_same_texts_train_the_same_tokenizer() -> None:
    first, second = (train_tokenizer([POST, "a b c"], 320).get_vocab() for _ in range(2))
    assert first == second


def test_an_unknown_template_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(
        ValidationError, match="unknown chat_template 'chatlm'; there are: .*chatml"
    ):
        TemplatingConfig(chat_template="chatlm")


@pytest.mark.parametrize("name", template_names())
def test_of_a_conversation_only_the_last_answer_is_learnt(name: str, tokenizer) -> None:
    tokenizer.chat_template = (TEMPLATES / f"{name}.jinja").read_text()
    history = (
        '[{"role": "user", "content": "Hello there"}, {"role": "assistant", "content": "Hi!"}]'
    )
    made = render_chats(
        [sample(prompt="slow backfills", completion=POST, history=history)], tokenizer, "", 512
    )
    example = made.examples[0]
    assert tokenizer.decode([i for i in example.labels if i != MASKED]) == POST + END
    assert example.text.index("Hello there") < example.text.index("Hi!")


def test_a_samples_own_system_prompt_comes_before_the_pipelines(tokenizer) -> None:
    tokenizer.chat_template = (TEMPLATES / "chatml.jinja").read_text()
    own = sample(prompt="trust", completion=POST, system="Today is Monday.")
    made = render_chats([own, sample(prompt="trust", completion=POST)], tokenizer, "Be brief.", 512)
    assert "Today is Monday." in made.examples[0].text
    assert "Be brief." not in made.examples[0].text
    assert "Be brief." in made.examples[1].text
