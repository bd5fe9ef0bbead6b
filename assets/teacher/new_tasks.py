"""A task that a teacher made up: its shape, and the filters that it must pass.

{"task": "explain_exit_code", "instruction": "Explain an exit code to a beginner.",
 "input": "143", "output": "Somebody asked the process to stop (SIGTERM), and it did."}
"""

import re

from assets.teacher.answering import same
from assets.teacher.protocol import Schema
from assets.teacher.refusals import is_refusal

MIN_WORDS, MAX_WORDS = 3, 150  # of an instruction
# What a model of text can neither see nor do; the words are those of the paper, and some more.
_OUT_OF_REACH = re.compile(
    r"\b(?:images?|pictures?|photos?|graphs?|charts?|videos?|audio|attach(?:ed|ment)s?|plot|draw"
    r"|sketch|screenshots?|Bild(?:er)?|Foto|zeichne)\b",
    re.IGNORECASE,
)
PARTS = ("task", "instruction", "input", "output")
SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "tasks": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "task": {"type": "string", "description": "a short name: summarise_mail"},
                    "instruction": {"type": "string"},
                    "input": {"type": "string", "description": "empty where none is needed"},
                    "output": {"type": "string"},
                },
                "required": list(PARTS),
                "additionalProperties": False,
            },
        }
    },
    "required": ["tasks"],
    "additionalProperties": False,
}


def problem(task: object, seed: str) -> str:
    """Return why a new task is of no use: the paper's filters, and a refusal in its place."""
    if not isinstance(task, dict):
        return f"a task is {task!r}"
    if wrong := [part for part in PARTS if not isinstance(task.get(part), str)]:
        return f"a task has no text under {wrong[0]!r} but {task.get(wrong[0])!r}"
    instruction, given, output = (str(task[part]).strip() for part in PARTS[1:])
    words = len(instruction.split())
    if not (MIN_WORDS <= words <= MAX_WORDS) and instruction.isascii():
        return f"an instruction has {words} words, not {MIN_WORDS} to {MAX_WORDS}"
    if not any(map(str.isalpha, instruction[:1])):
        return f"an instruction begins with {instruction[:1]!r}"
    if unseen := _OUT_OF_REACH.search(instruction):
        return f"an instruction needs more than text: {unseen[0]!r}"
    if not output or is_refusal(output):
        return "an output is empty" if not output else "an output is a refusal"
    if same(output, given) or same(output, instruction):
        return "an output repeats its input"
    return "a task is its seed again" if same(instruction, seed) else ""
