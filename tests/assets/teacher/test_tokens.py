"""Counting tokens: with a real tiktoken encoding that is built here, and without one."""

import threading

import pytest
import tiktoken

from assets.teacher.tokens import AT_MOST, Count, counter_of, within


def byte_pairs(encoding: str) -> Count:
    """Return the counter of a small encoding: bytes, and the one pair `ab`."""
    ranks = {bytes([byte]): byte for byte in range(256)} | {b"ab": 256}
    built = tiktoken.Encoding(
        encoding, pat_str=r"\S+|\s+", mergeable_ranks=ranks, special_tokens={"<|end|>": 257}
    )
    return lambda text: len(built.encode_ordinary(text))


def test_a_model_that_tiktoken_knows_is_counted_by_its_encoding() -> None:
    counter = counter_of("gpt-4o-mini", True, load=byte_pairs)
    assert (counter.method, counter.exact) == ("tiktoken o200k_base", True)
    assert counter.count("abab c") == 4
    assert counter.count("<|end|>") == 7  # a text of the data is no control token


def test_the_schema_is_part_of_the_prompt() -> None:
    counter = counter_of("gpt-4o-mini", True, load=byte_pairs)
    messages = [{"role": "user", "content": "abab"}]
    assert counter.of_request(messages, {"a": 1}) == 2 + 8 + len('{"a": 1}') + 8


@pytest.mark.parametrize(("model", "at_openai"), [("gpt-4o-mini", False), ("own-model", True)])
def test_no_table_is_fetched_for_a_model_that_is_not_openai_s(model: str, at_openai: bool) -> None:
    def fetched(encoding: str) -> Count:
        raise AssertionError(f"{encoding} was asked for")

    counter = counter_of(model, at_openai, load=fetched)
    assert counter.method == f"3 bytes of UTF-8 a token; tiktoken does not know {model} here"
    assert not counter.exact


def test_a_table_that_cannot_be_had_is_said_in_the_method() -> None:
    counter = counter_of("gpt-4o-mini", True, load=lambda encoding: None)
    assert counter.method.endswith("tiktoken's o200k_base could not be loaded")
    assert counter.count("four words of English") == 7


def test_loading_that_fails_or_hangs_gives_up() -> None:
    def broken() -> Count:
        raise OSError("no network")

    def hanging() -> Count:
        threading.Event().wait()
        raise AssertionError("it waits for ever")

    assert within(5.0, broken) is None
    assert within(0.01, hanging) is None
    count = within(5.0, lambda: byte_pairs("here"))
    assert count is not None
    assert count("ab") == 1


@pytest.mark.parametrize("text", ["abc", "Grüße", "流暢な文章", "नमस्ते", "🙂🙂"])
def test_the_upper_bound_holds_for_every_script(text: str) -> None:
    assert AT_MOST.count(text) >= byte_pairs("any")(text)
    assert AT_MOST.count(text) >= counter_of("m", False).count(text)
