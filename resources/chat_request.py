"""One request to chat completions: its body, and the key that its answer is kept under."""

import json
from dataclasses import dataclass
from typing import Any

from resources.endpoint import Endpoint
from resources.response_cache import request_key

PATH = "/chat/completions"
BYTES_PER_TOKEN = 4

Messages = list[dict[str, str]]
Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sampling:
    """What else decides an answer, beside its prompt."""

    temperature: float | None  # None: the model's own default
    max_output_tokens: int


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """Messages and the schema of the answer; `sample_index` tells draws of one prompt apart.

    An empty schema asks for no form: the answer is any text.
    """

    messages: Messages
    schema: Schema
    sample_index: int = 0

    def key(self, endpoint: Endpoint, model: str, sampling: Sampling) -> str:
        """Return the hash of all that decides the answer."""
        return request_key(
            {
                "endpoint": endpoint.address,
                "model": model,
                "messages": self.messages,
                "temperature": sampling.temperature,
                "max_output_tokens": sampling.max_output_tokens,
                "schema": self.schema,
                "sample_index": self.sample_index,
            }
        )

    def body(
        self, endpoint: Endpoint, model: str, sampling: Sampling, schema_in_prompt: bool = False
    ) -> dict[str, Any]:
        """Return what is sent; `schema_in_prompt` for servers without structured output."""
        # OpenAI's newer models refuse the old name, and some servers know only that one
        limit = "max_completion_tokens" if endpoint.at_openai else "max_tokens"
        body: dict[str, Any] = {"model": model, limit: sampling.max_output_tokens}
        if sampling.temperature is not None:
            body["temperature"] = sampling.temperature
        if not self.schema:
            return {**body, "messages": self.messages}
        if schema_in_prompt:
            return {**body, "messages": _with_schema(self.messages, self.schema)}
        answer = {"name": "answer", "strict": True, "schema": self.schema}
        response_format = {"type": "json_schema", "json_schema": answer}
        return {**body, "messages": self.messages, "response_format": response_format}

    def likely_tokens(self, sampling: Sampling) -> float:
        """Return what a server's limit of tokens will count, as OpenAI does before it answers."""
        size = sum(len(message["content"].encode()) for message in self.messages)
        return size / BYTES_PER_TOKEN + sampling.max_output_tokens


def _with_schema(messages: Messages, schema: Schema) -> Messages:
    """Say the schema in the system message: many chat templates allow but one, and first."""
    told = (
        "Answer with one JSON object and nothing else, no Markdown around it. It follows this "
        f"JSON schema: {json.dumps(schema, ensure_ascii=False)}"
    )
    if messages and messages[0]["role"] == "system":
        system = {"role": "system", "content": f"{messages[0]['content']}\n\n{told}"}
        return [system, *messages[1:]]
    return [{"role": "system", "content": told}, *messages]
