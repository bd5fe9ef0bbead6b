"""A sample as the messages of a chat: what a model is asked, in training, evaluation and service.

[{"role": "system", "content": "You write posts."}, {"role": "user", "content": "slow backfills"}]
"""

import json
from collections.abc import Mapping

Message = dict[str, str]  # role and content


def messages_of(fields: Mapping[str, str], system: str) -> list[Message]:
    """Return the messages before the answer: system, earlier turns, the prompt.

    A sample's own `system` comes before the pipeline's; `history` is JSON of its earlier turns.
    """
    system = fields.get("system", system)
    before = [{"role": "system", "content": system}] if system else []
    history = json.loads(fields.get("history") or "[]")
    return [*before, *history, {"role": "user", "content": fields["prompt"]}]
