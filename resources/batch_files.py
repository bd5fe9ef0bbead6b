"""The JSONL that the Batch API takes and gives back, one request and one answer a line.

{"custom_id": "9b1c…", "method": "POST", "url": "/v1/chat/completions", "body": {"model": …}}

{"id": "batch_req_1", "custom_id": "9b1c…", "error": null,
 "response": {"status_code": 200, "body": {"choices": […], "usage": {…}}}}
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

CHAT_COMPLETIONS = "/v1/chat/completions"
Body = Mapping[str, Any]  # of one request to chat completions


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request of a batch: its completion, or why there is none."""

    request_hash: str
    completion: "ChatCompletion | None"
    problem: str = ""


def parts(
    requests: Mapping[str, Body], hashes: Iterable[str], most_requests: int, most_bytes: int
) -> Iterator[list[str]]:
    """Yield the hashes in groups, each of which fits into one file."""
    part: list[str] = []
    size = 0
    for request_hash in hashes:
        length = len(_line(request_hash, requests[request_hash]))
        if part and (len(part) == most_requests or size + length > most_bytes):
            yield part
            part, size = [], 0
        part.append(request_hash)
        size += length
    if part:
        yield part


def write_requests(requests: Mapping[str, Body], hashes: Iterable[str], file: IO[bytes]) -> None:
    """Write the requests of these hashes, and go back to the beginning."""
    for request_hash in hashes:
        file.write(_line(request_hash, requests[request_hash]))
    file.seek(0)


def _line(request_hash: str, body: Body) -> bytes:
    # ASCII: some readers take U+2028 or U+0085 inside a text for the end of a line
    content = {"custom_id": request_hash, "method": "POST", "url": CHAT_COMPLETIONS, "body": body}
    return json.dumps(content).encode() + b"\n"


def outcomes(lines: Iterable[bytes]) -> Iterator[Outcome]:
    """Yield what the lines of an output or error file say; one that names no request is skipped."""
    for line in lines:
        try:
            content = json.loads(line)
            request_hash = str(content["custom_id"])
        except (ValueError, TypeError, KeyError):
            continue
        yield _outcome(request_hash, content)


def _outcome(request_hash: str, content: dict[str, Any]) -> Outcome:
    from openai.types.chat import ChatCompletion

    response = content.get("response") or {}
    status, body = response.get("status_code"), response.get("body")
    if error := content.get("error"):
        return Outcome(request_hash, None, f"not answered in the batch: {_said(error)}")
    if status != 200:
        error = body.get("error") if isinstance(body, dict) else body
        return Outcome(request_hash, None, f"refused by the server: {status} {_said(error)}")
    if not isinstance(body, dict):
        return Outcome(request_hash, None, f"unreadable: no completion but {str(body)[:80]!r}")
    # unchecked, as the client itself does it: a new finish_reason is no reason to drop an answer
    return Outcome(request_hash, ChatCompletion.model_construct(**body))


def _said(error: object) -> str:
    """Return an error's code and message, whichever of them there is."""
    if not isinstance(error, dict):
        return str(error)[:200]
    return ": ".join(str(error[name]) for name in ("code", "message") if error.get(name))
