"""A teacher without a network: it answers by a function, keeps what it said, counts the asking."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from assets.records import content_hash
from assets.teacher.generate import NoAnswer
from assets.teacher.protocol import Answer, Message, Schema

Asked = tuple[list[Message], Schema, int]


@dataclass
class ScriptedTeacher:
    """Raise in `say` for a fault that no other request would survive; "!why" is a problem."""

    say: Callable[[list[Message], int], dict[str, object] | str]
    kept: dict[str, NoAnswer] = field(default_factory=dict)
    asked: list[list[Message]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    def key(self, messages: list[Message], schema: Schema, sample_index: int = 0) -> str:
        return content_hash([messages, schema, sample_index])

    def cached(
        self, messages: list[Message], schema: Schema, sample_index: int = 0
    ) -> Answer | None:
        return self.kept.get(self.key(messages, schema, sample_index))

    async def ask(self, messages: list[Message], schema: Schema, sample_index: int = 0) -> Answer:
        self.asked.append(messages)
        said = self.say(messages, sample_index)
        key = self.key(messages, schema, sample_index)
        text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
        if text.startswith("!"):
            return NoAnswer(text[1:], request_hash=key)
        self.kept[key] = NoAnswer("", text, key, 10, 2, 0.001)
        return self.kept[key]

    async def ask_together(self, requests: Sequence[Asked]) -> dict[str, str]:
        self.batches.append(len(requests))
        answers = [await self.ask(*request) for request in requests]
        return {answer.request_hash: answer.problem for answer in answers if answer.problem}
