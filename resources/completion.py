r"""What a chat completion says: its text, or why there is none, and the tokens it took.

{"choices": [{"message": {"content": "{\"idea\": \"…\"}"}, "finish_reason": "stop"}],
 "usage": {"prompt_tokens": 311, "completion_tokens": 14}}
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

_FENCED = re.compile(r"\s*```\w*\n(.*?)\n?```\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Completion:
    """The first choice of an answer; `problem` says why `text` is empty."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    problem: str = ""

    @classmethod
    def read(cls, content: bytes, messages: Sequence[Mapping[str, str]]) -> Self:
        """Read the body of a response; ValueError says what it is where it is no completion."""
        try:
            body = json.loads(content)
        except ValueError:
            body = content.decode(errors="replace")
        return cls.of(body, messages)

    @classmethod
    def of(cls, body: Any, messages: Sequence[Mapping[str, str]]) -> Self:
        """Read a body that is JSON no longer; ValueError as with `read`."""
        try:
            choice = body["choices"][0]
            text, problem = _text_or_problem(choice["message"], choice.get("finish_reason"))
            return cls(text, *_usage(body.get("usage"), messages, text), problem)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            raise ValueError(f"the server sent no completion but {str(body)[:80]!r}") from None


def _text_or_problem(message: Mapping[str, Any], finish_reason: object) -> tuple[str, str]:
    if refusal := message.get("refusal"):
        return "", f"the teacher refused: {refusal}"
    if finish_reason == "content_filter":
        return "", "the teacher's content filter cut the answer"
    text = message["content"] or ""
    if not text.strip():
        return "", f"the answer is empty (finish_reason {finish_reason}; raise max_output_tokens?)"
    # without constrained decoding models like to wrap JSON in Markdown
    fenced = _FENCED.fullmatch(text)
    return (fenced[1] if fenced else text), ""


def _usage(usage: Any, messages: Sequence[Mapping[str, str]], text: str) -> tuple[int, int]:
    """Return prompt and completion tokens; four characters a token where a server counts none."""
    if usage:
        return int(usage["prompt_tokens"]), int(usage["completion_tokens"])
    characters = sum(len(m["content"]) for m in messages)
    return math.ceil(characters / 4), math.ceil(len(text) / 4)
