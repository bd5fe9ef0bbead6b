r"""A cache as JSONL, an answer a line in the order of the keys: the same bytes each time.

{"key": "9b1c…", "model": "gpt-4o-mini", "answer": "{\"idea\": …}", "prompt_tokens": 311,
 "completion_tokens": 14, "cost_usd": 5.5e-05, "created": "2026-03-01T08:10:00+00:00"}
"""

import argparse
import json
import math
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from resources.response_cache import COLUMNS, ResponseCache

Row = tuple[str | int | float, ...]


def export_file(cache: ResponseCache, path: Path) -> int:
    """Write all answers of a cache and return their number; the file is there whole, or not."""
    aside = path.with_name(f"{path.name}.partial")
    with aside.open("w", encoding="utf-8", newline="\n") as file:
        lines = 0
        for lines, row in enumerate(cache.rows(), start=1):  # noqa: B007
            file.write(json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False) + "\n")
    aside.replace(path)
    return lines


def import_file(cache: ResponseCache, path: Path) -> tuple[int, int]:
    """Add a file's answers; returns how many were new and how many lines there are.

    An answer that the cache has stands. A line that is no answer is a ValueError, and then nothing
    is added.
    """
    lines = 0

    def rows(file: Iterable[bytes]) -> Iterator[Row]:
        nonlocal lines
        for lines, line in enumerate(file, start=1):
            try:
                yield _row(line)
            except ValueError as error:
                what = f"{path}, line {lines}: {error}. Nothing was imported"
                raise ValueError(what) from None

    with path.open("rb") as file:
        return cache.add_rows(rows(file)), lines


def _row(line: bytes) -> Row:
    try:
        content = json.loads(line)
    except ValueError:
        raise ValueError(f"no JSON but {line.strip()[:60].decode(errors='replace')!r}") from None
    if not isinstance(content, dict) or set(content) != set(COLUMNS):
        raise ValueError(f"an answer has the keys {', '.join(COLUMNS)}, this line other ones")
    for name, value in content.items():
        if not _is_valid(name, value):
            raise ValueError(f"{name} cannot be {str(value)[:60]!r}")
    return tuple(content[name] for name in COLUMNS)


def _is_valid(name: str, value: Any) -> bool:
    match name:
        case "key":
            return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None
        case "prompt_tokens" | "completion_tokens":
            return type(value) is int and 0 <= value < 2**63
        case "cost_usd":
            return type(value) in (int, float) and math.isfinite(value) and value >= 0
        case "created":
            return isinstance(value, str) and _is_date(value)
    return isinstance(value, str) and bool(value.strip())


def _is_date(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code."""
    state = os.environ.get("TUNELINE_STATE", ".tuneline")
    parser = argparse.ArgumentParser(prog="python -m resources.response_cache")
    parser.add_argument("command", choices=["export", "import"])
    parser.add_argument("file", type=Path, help="JSONL, an answer a line")
    parser.add_argument("--cache", type=Path, default=Path(state, "teacher_cache.db"))
    given = parser.parse_args(arguments)
    try:
        print(_run(given.command, given.file, given.cache))
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run(command: str, file: Path, path: Path) -> str:
    if command == "export" and not path.is_file():
        raise ValueError(f"there is no cache {path}: name it with --cache, or set TUNELINE_STATE")
    with closing(ResponseCache(path)) as cache:
        if command == "export":
            return f"{export_file(cache, file)} answers of {path} are in {file}"
        new, lines = import_file(cache, file)
        return f"{new} of {lines} answers are new in {path}; those it had stand"
