"""How many tokens a request has: tiktoken where it knows the model, a stated estimate else."""

import json
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from assets.teacher.protocol import Message, Schema

# Bytes of UTF-8, not characters: English has 4 to 5 a token, German and code about 3, and so have
# scripts of 3 bytes a character. Low, so that an estimate errs upwards.
BYTES_PER_TOKEN = 3
TOKENS_PER_MESSAGE = 8  # roles and separators
LOAD_SECONDS = 20.0  # tiktoken fetches its tables at first use, and has no time limit of its own

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class TokenCounter:
    """Counts the tokens of a text; `method` says how, for whoever reads the estimate."""

    count: Count
    method: str
    exact: bool = False

    def of_request(self, messages: Sequence[Message], schema: Schema) -> int:
        """Return the prompt tokens of a request; its schema is billed as part of the prompt."""
        in_messages = sum(self.count(m["content"]) + TOKENS_PER_MESSAGE for m in messages)
        return in_messages + self.count(json.dumps(schema)) + TOKENS_PER_MESSAGE

    def most_of_request(self, messages: Sequence[Message], schema: Schema) -> int:
        """Return a number of prompt tokens that the request does not exceed."""
        return (self if self.exact else AT_MOST).of_request(messages, schema)


AT_MOST = TokenCounter(
    lambda text: len(text.encode()), "no byte-level tokenizer makes more tokens than bytes"
)


def counter_of(
    model: str, at_openai: bool, load: Callable[[str], Count | None] | None = None
) -> TokenCounter:
    """Return tiktoken's counter for a model of OpenAI's that it knows, or the estimate.

    `load` returns the counter of an encoding, None where its table can't be had.
    """
    stated = f"{BYTES_PER_TOKEN} bytes of UTF-8 a token"
    encoding = _encoding_name(model) if at_openai else None
    if encoding is None:
        return TokenCounter(_estimated, f"{stated}; tiktoken does not know {model} here")
    count = (load or _table)(encoding)
    if count is None:
        return TokenCounter(_estimated, f"{stated}; tiktoken's {encoding} could not be loaded")
    # the system message and the schema are the same in every request
    return TokenCounter(lru_cache(maxsize=256)(count), f"tiktoken {encoding}", exact=True)


def _estimated(text: str) -> int:
    return math.ceil(len(text.encode()) / BYTES_PER_TOKEN)


def _encoding_name(model: str) -> str | None:
    from tiktoken import encoding_name_for_model

    try:
        return encoding_name_for_model(model)
    except KeyError:
        return None


@cache
def _table(encoding: str, seconds: float = LOAD_SECONDS) -> Count | None:
    """Return the counter of an encoding; tried once, in a thread that may be left hanging."""
    from tiktoken import get_encoding

    return within(seconds, lambda: _counter(get_encoding(encoding).encode_ordinary))


def _counter(encode: Callable[[str], list[int]]) -> Count:
    return lambda text: len(encode(text))


def within(seconds: float, make: Callable[[], Count]) -> Count | None:
    """Return what `make` makes; None where it fails, or takes longer."""
    made: list[Count] = []

    def run() -> None:
        try:
            made.append(make())
        except Exception:  # no network, no disk, a changed table: the estimate says that it failed
            return

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return made[0] if made else None
