"""The code that MLflow copies beside the weights and runs to serve them.

Of this project it needs only assets/loading, which MLflow copies beside it: a server that loads it
has the packages that are named with it, and nothing else.

    load_model("models:/linkedin_writer@champion").predict(["slow backfills; on-call"])
        prompts in, column `text` out; params: max_new_tokens, temperature (0: always the same);
        where several adapters lie on one base: columns `prompt` and `route`, which of them answers
    load_model("models:/phishing_classifier@champion").predict([{"subject": "…", "body": "…"}])
        fields in, or one finished `text`; columns `label` and `score`, the label's probability, out
    models that label tokens: texts in, columns `entities` (start, end, label) and `masked` out
    models that embed: texts in, column `embedding` out
    models that score: `query` and `document`, or `prompt` and `completion` in, column `score` out
"""

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

Row = dict[str, str]
Params = dict[str, Any]


class TunedModel(PythonModel):
    """A tuned model that answers a table row by row."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load adapter and base, or the whole weights, onto the GPU where there is one."""
        from transformers.utils import logging

        from assets.loading.answers import Answers

        logging.disable_progress_bar()  # a server's log is no terminal
        folder = Path(context.artifacts["manifest"]).parent
        manifest, self.template = (
            _read(path) for path in (folder / "manifest.json", folder / "model" / "template.json")
        )
        base = context.artifacts.get("base") or _package_folder(manifest["base_model"], folder)
        self.answers = Answers(folder, manifest, self.template, base)

    def predict(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: Params | None = None,
    ) -> pd.DataFrame:
        """Return one row an input row."""
        answered: dict[str, Callable[[pd.DataFrame, Params], dict[str, list[Any]]]] = {
            "causal": self._write,
            "sequence": self._label,
            "tokens": self._mark,
            "embedding": self._embed,
            "score": self._score,
        }
        return pd.DataFrame(answered[self.answers.kind](model_input, params or {}))

    def _write(self, frame: pd.DataFrame, params: Params) -> dict[str, list[Any]]:
        how = int(params.get("max_new_tokens", 256)), float(params.get("temperature", 0.0))
        prompts = _texts(frame, "prompt")
        routes = list(frame["route"].fillna("")) if "route" in frame else [""] * len(prompts)
        rows = zip(prompts, routes, strict=True)
        return {"text": [self.answers.written(prompt, *how, route) for prompt, route in rows]}

    def _label(self, frame: pd.DataFrame, params: Params) -> dict[str, list[Any]]:
        made = [self.answers.label(self._render(row)) for row in _filled(frame)]
        return {"label": [label for label, _ in made], "score": [score for _, score in made]}

    def _mark(self, frame: pd.DataFrame, params: Params) -> dict[str, list[Any]]:
        from assets.loading.entities import masked

        texts = _texts(frame, "text")
        found = [self.answers.entities(text) for text in texts]
        return {"entities": found, "masked": list(map(masked, texts, found))}

    def _embed(self, frame: pd.DataFrame, params: Params) -> dict[str, list[Any]]:
        return {"embedding": self.answers.embeddings(_texts(frame, "text"))}

    def _score(self, frame: pd.DataFrame, params: Params) -> dict[str, list[Any]]:
        if self.template["kind"] == "retrieval":
            pairs, score = _pairs(frame, "query", "document"), self.answers.pair_score
        else:
            pairs, score = _pairs(frame, "prompt", "completion"), self.answers.answer_score
        return {"score": [score(*pair) for pair in pairs]}

    def _render(self, row: Row) -> str:
        """Return the text as the training examples had it: one line a field."""
        fields = self.template["fields"]
        if "text" in row and "text" not in fields:
            return row["text"]
        lines = [f"{name.capitalize()}: {row[name]}" for name in fields if name in row]
        if not lines:
            raise ValueError(f"a row has no text in any of: {', '.join([*fields, 'text'])}")
        return "\n".join(lines)


def _texts(frame: pd.DataFrame, name: str) -> list[str]:
    # the signature has one column without a name, so that a plain list is accepted; MLflow keeps
    # the first column of a frame, which may be another one
    if frame.columns[0] not in (0, "0", name):
        raise ValueError(f"the column of {name}s must be named {name!r}, not {frame.columns[0]!r}")
    return [str(text) for text in frame.iloc[:, 0]]


def _pairs(frame: pd.DataFrame, one: str, other: str) -> list[tuple[str, str]]:
    rows = _filled(frame)
    if wrong := [number for number, row in enumerate(rows) if not {one, other} <= set(row)]:
        raise ValueError(f"row {wrong[0]} needs a text in both {one!r} and {other!r}")
    return [(row[one], row[other]) for row in rows]


def _filled(frame: pd.DataFrame) -> list[Row]:
    """Return the rows without their empty fields."""
    return [
        {str(k): v for k, v in row.items() if isinstance(v, str) and v}
        for row in frame.to_dict(orient="records")
    ]


def _package_folder(base: dict[str, str], folder: Path) -> str | None:
    """Return where an adapter's base lies that is an installed package; None for any other."""
    if base["kind"] != "package" or (folder / "model" / "config.json").exists():
        return None
    spec = find_spec(base["name"].replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"the base of this adapter is a package: pip install {base['name']}"
        )
    return str(Path(spec.submodule_search_locations[0]) / "model")


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


set_model(TunedModel())
