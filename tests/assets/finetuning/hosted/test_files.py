"""Samples become the service's files; the price is known before anything leaves."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from assets.finetuning.hosted.cost import Price, estimate, estimated_tokens, price_of
from assets.finetuning.hosted.files import training_files
from assets.finetuning.methods.hosted import Options
from assets.messages import messages_of
from assets.records import Sample, Split

SYSTEM = "You write posts."
CHAT = {"prompt": "slow backfills", "completion": "Backfills are …"}
PAIR = {"prompt": "slow backfills", "chosen": "Backfills are …", "rejected": "Great question!"}
HISTORY = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]


def samples(fields: dict[str, str], train: int = 10, **others: int) -> list[Sample]:
    """Return so many samples of each split; their ids are in their prompts."""
    numbers: dict[Split, int] = {"train": train, "eval": others.get("eval", 2), "test": 3}
    return [
        Sample(f"{split}-{n:02}", "d", "g", split, {**fields, "prompt": f"{split} {n}"}, "offline")
        for split, number in numbers.items()
        for n in range(number)
    ]


def lines(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


def test_a_chat_is_its_messages_with_the_system_message_of_the_pipeline() -> None:
    files = training_files(samples(CHAT), "sft", SYSTEM)
    assert files.examples == 10
    assert lines(files.training)[0] == {
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": "train 0"},
            {"role": "assistant", "content": "Backfills are …"},
        ]
    }
    assert len(lines(files.validation)) == 2


def test_only_the_last_answer_of_a_conversation_is_learnt() -> None:
    files = training_files(samples({**CHAT, "history": json.dumps(HISTORY)}), "sft", "")
    messages = lines(files.training)[0]["messages"]
    assert [(m["role"], m.get("weight")) for m in messages] == [
        ("user", None),
        ("assistant", 0),
        ("user", None),
        ("assistant", None),
    ]


def test_a_preference_is_one_prompt_with_two_answers() -> None:
    tools = [{"type": "function", "function": {"name": "search", "parameters": {}}}]
    files = training_files(samples({**PAIR, "tools": json.dumps(tools)}), "dpo", SYSTEM)
    assert lines(files.training)[0] == {
        "input": {
            "messages": [
                {"role": "system", "content": SYSTEM},
                {"role": "user", "content": "train 0"},
            ],
            "tools": tools,
        },
        "preferred_output": [{"role": "assistant", "content": "Backfills are …"}],
        "non_preferred_output": [{"role": "assistant", "content": "Great question!"}],
    }


@pytest.mark.parametrize(
    "more", [{}, {"system": "You are terse."}, {"system": ""}, {"history": json.dumps(HISTORY)}]
)
def test_the_service_sees_the_messages_that_the_chat_template_sees(more: dict[str, str]) -> None:
    rows = samples({**PAIR, **more})
    files = training_files(rows, "dpo", SYSTEM)
    assert lines(files.training)[0]["input"]["messages"] == messages_of(rows[0].fields, SYSTEM)


def test_the_test_split_stays_here() -> None:
    files = training_files(samples(CHAT), "sft", "")
    assert b"test 0" not in files.training + files.validation
    assert b"eval 0" in files.validation


def test_without_an_eval_split_there_is_no_validation_file() -> None:
    assert training_files(samples(CHAT, eval=0), "sft", "").validation == b""


def test_the_order_of_the_samples_changes_no_byte() -> None:
    rows = samples(CHAT)
    assert training_files(rows, "sft", "") == training_files(rows[::-1], "sft", "")


def test_a_line_feed_of_another_script_does_not_cut_a_line() -> None:
    files = training_files(samples({**CHAT, "completion": "a\u2028b\u0085c"}), "sft", "")
    assert len(files.training.decode().splitlines()) == 10


def test_all_that_the_service_would_refuse_is_said_at_once() -> None:
    rows = samples({**PAIR, "chosen": "", "rejected": ""}, train=9)
    with pytest.raises(ValueError) as refused:
        training_files(rows, "dpo", "")
    assert str(refused.value) == (
        "9 training examples; the service needs 10; "
        "11 samples have no chosen, eval-00 first; 11 samples have no rejected, eval-00 first; "
        "11 samples have one text twice, eval-00 first"
    )


def test_an_objective_that_no_service_offers_is_refused_with_those_that_one_does() -> None:
    with pytest.raises(ValueError, match="no objective 'embed'; there are: sft, dpo"):
        training_files(samples(CHAT), "embed", "")


def test_an_example_counts_with_its_prompt_and_a_preference_with_its_prompt_twice() -> None:
    def words(text: str) -> int:
        return len(text.split())

    chat = training_files(samples(CHAT), "sft", "", words)
    assert chat.tokens == 10 * (2 + 3 + 2 * 4 + 3)  # the texts, a message, an example
    pair = training_files(samples(PAIR), "dpo", "", words)
    assert pair.tokens == 10 * (2 * (2 + 4 + 3) + (3 + 4) + (2 + 4))


def test_tokens_are_rather_over_estimated_where_no_tokenizer_is_at_hand() -> None:
    assert estimated_tokens("abcdef") == 2
    assert estimated_tokens("ü" * 4) == 3


@pytest.mark.parametrize(
    ("model", "per_million"),
    [
        ("gpt-4.1-mini", 5.0),
        ("gpt-4.1-mini-2025-04-14", 5.0),
        ("gpt-3.5-turbo-0125", 8.0),
        ("ft:gpt-4o-mini-2024-07-18:org:name:id", 3.0),
    ],
)
def test_a_dated_or_tuned_model_has_the_price_of_its_base(model: str, per_million: float) -> None:
    price = price_of(model, None)
    assert price.per_million == per_million
    assert price.source.startswith("training_prices.json, as of 20")


def test_a_model_without_a_price_is_refused_unless_one_is_given() -> None:
    with pytest.raises(ValueError, match="no price of training is known for 'qwen'.*gpt-4.1-nano"):
        price_of("qwen", None)
    assert price_of("qwen", 0.4) == Price(0.4, "price_per_million of the pipeline")


def test_a_job_costs_its_tokens_once_an_epoch() -> None:
    found = estimate(100_000, 3, Price(5.0, "here"))
    assert (found.trained_tokens, found.cost_usd) == (300_000, 1.5)
    assert found.method == "100000 tokens x 3 epochs at $5.0 a million (here)"


def test_what_is_not_set_is_left_to_the_service_but_never_the_epochs() -> None:
    assert Options().hyperparameters("sft") == {"n_epochs": 3}
    given = Options(n_epochs=1, batch_size=4, learning_rate_multiplier=0.5, beta=0.2)
    assert given.hyperparameters("dpo") == {
        "n_epochs": 1,
        "batch_size": 4,
        "learning_rate_multiplier": 0.5,
        "beta": 0.2,
    }


def test_a_beta_without_preferences_is_refused() -> None:
    with pytest.raises(ValueError, match="beta is of dpo; objective 'sft' has none"):
        Options(beta=0.1).hyperparameters("sft")


@pytest.mark.parametrize("wrong", [{"n_epochs": 0}, {"n_epochs": "auto"}, {"beta": 3}])
def test_settings_that_the_service_would_refuse_are_refused_at_load(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Options(**wrong)


@pytest.mark.real_data
def test_an_example_has_the_messages_of_the_official_specification() -> None:
    import os

    import yaml
    from jsonschema import Draft202012Validator

    path = Path(os.environ.get("TUNELINE_REAL_DATA", "../shared/data")) / "openai_api/openapi.yaml"
    if not path.is_file():
        pytest.skip(f"no {path}: set TUNELINE_REAL_DATA")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    components = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)["components"]
    files = training_files(samples({**CHAT, "history": json.dumps(HISTORY)}), "sft", SYSTEM)
    shapes = {
        "system": "ChatCompletionRequestSystemMessage",
        "user": "ChatCompletionRequestUserMessage",
        "assistant": "FineTuneChatCompletionRequestAssistantMessage",
    }
    for message in lines(files.training)[0]["messages"]:
        schema = {"$ref": f"#/components/schemas/{shapes[message['role']]}"}
        Draft202012Validator({**schema, "components": components}).validate(message)
