"""How results look in the Dagster UI: table previews, pictures, links."""

import base64
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import dagster as dg

MAX_CELL = 160  # characters


def table_preview(rows: Sequence[Mapping[str, object]], count: int = 5) -> dg.TableMetadataValue:
    """Return the first rows as a table; nested maps become columns, long cells are cut."""
    flat = [_flatten(row) for row in rows[:count]]
    columns = list(dict.fromkeys(key for row in flat for key in row))
    return dg.MetadataValue.table(
        records=[dg.TableRecord({c: _cell(row.get(c)) for c in columns}) for row in flat],
        schema=dg.TableSchema([dg.TableColumn(c, "string") for c in columns]),
    )


def shown(values: Mapping[str, object]) -> dict[str, object]:
    """Return plain values as metadata: bytes as a picture, nested values as JSON."""
    return {name: _shown(value) for name, value in values.items()}


def _shown(value: object) -> object:
    if isinstance(value, bytes):
        return picture(value)
    return dg.MetadataValue.json(value) if isinstance(value, dict | list) else value


def picture(png: bytes, title: str = "") -> dg.MarkdownMetadataValue:
    """Return a PNG as Markdown that the UI shows inline."""
    return dg.MetadataValue.md(
        f"![{title}](data:image/png;base64,{base64.b64encode(png).decode()})"
    )


def file_link(path: Path) -> dg.UrlMetadataValue:
    """Return the address of an artifact's file, as `make dev` serves the store."""
    base = os.environ.get("TUNELINE_FILES_URL", "http://localhost:3001")
    inside = str(path.resolve()).rpartition("/artifacts/")[2] or path.name
    return dg.MetadataValue.url(f"{base}/{quote(inside)}")


def _flatten(row: Mapping[str, object]) -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in row.items():
        flat.update(value if isinstance(value, dict) else {key: value})
    return flat


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"
