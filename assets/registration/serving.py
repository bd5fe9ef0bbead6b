"""The code that MLflow copies beside the weights and runs to serve them.

It imports nothing of this project: a server that loads it needs only the packages named with it.

    load_model("models:/linkedin_writer@champion").predict(["slow backfills; on-call"])
        prompts in, column `text` out; params: max_new_tokens, temperature (0: always the same)
    load_model("models:/phishing_classifier@champion").predict([{"subject": "…", "body": "…"}])
        fields in, or one finished `text`; columns `label` and `score`, the label's probability, out
"""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

Row = dict[str, str]


class TunedModel(PythonModel):
    """A tuned model with its tokenizer and the template that it was trained on."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load adapter and base, or the whole weights, onto the GPU where there is one."""
        import torch
        from transformers import AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()  # a server's log is no terminal
        weights = Path(context.artifacts["model"])
        self.manifest: dict[str, Any] = _read(Path(context.artifacts["manifest"]))
        self.template: dict[str, Any] = _read(weights / "template.json")
        self.tokenizer = AutoTokenizer.from_pretrained(weights)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        own_base = context.artifacts.get("base")
        self.model = _load(weights, self.manifest, own_base).to(device).eval()

    def predict(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Return one row an input row."""
        if self.template["kind"] == "chat":
            texts = [self._write(prompt, params or {}) for prompt in _prompts(model_input)]
            return pd.DataFrame({"text": texts})
        rows = _filled(model_input)
        classes = [self._classify(self._render(row)) for row in rows]
        return pd.DataFrame(classes, columns=["label", "score"])

    def _write(self, prompt: str, params: dict[str, Any]) -> str:
        import torch

        system = self.template.get("system")
        messages = [{"role": "system", "content": system}] if system else []
        encoded = self.tokenizer.apply_chat_template(
            [*messages, {"role": "user", "content": prompt}],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        length, limit = encoded["input_ids"].shape[1], self.template["max_length"]
        if length >= limit:
            raise ValueError(f"the prompt has {length} tokens; this model takes fewer than {limit}")
        temperature = float(params.get("temperature", 0.0))
        sampling = {"do_sample": True, "temperature": temperature} if temperature > 0 else {}
        with torch.inference_mode():
            made = self.model.generate(
                input_ids=encoded["input_ids"].to(self.model.device),
                attention_mask=encoded["attention_mask"].to(self.model.device),
                max_new_tokens=int(params.get("max_new_tokens", 256)),
                eos_token_id=self.tokenizer.eos_token_id,
                pad_token_id=self.tokenizer.eos_token_id,
                **(sampling or {"do_sample": False}),
            )
        return self.tokenizer.decode(made[0, length:], skip_special_tokens=True).strip()

    def _render(self, row: Row) -> str:
        """Return the text as the training examples had it: one line a field."""
        fields = self.template["fields"]
        if "text" in row and "text" not in fields:
            return row["text"]
        lines = [f"{name.capitalize()}: {row[name]}" for name in fields if name in row]
        if not lines:
            raise ValueError(f"a row has no text in any of: {', '.join([*fields, 'text'])}")
        return "\n".join(lines)

    def _classify(self, text: str) -> tuple[str, float]:
        import torch

        limit = self.template["max_length"]
        encoded = self.tokenizer(text, truncation=True, max_length=limit, return_tensors="pt")
        with torch.inference_mode():
            logits = self.model(**encoded.to(self.model.device)).logits[0]
        score, index = torch.softmax(logits.float(), dim=-1).max(dim=-1)
        return self.manifest["labels"][int(index)], float(score)


def _prompts(frame: pd.DataFrame) -> list[str]:
    # the signature has one column without a name, so that a plain list is accepted; MLflow keeps
    # the first column of a frame, which may be another one
    if frame.columns[0] not in (0, "0", "prompt"):
        raise ValueError(f"the prompts' column must be named 'prompt', not {frame.columns[0]!r}")
    return [str(prompt) for prompt in frame.iloc[:, 0]]


def _filled(frame: pd.DataFrame) -> list[Row]:
    """Return the rows without their empty fields."""
    return [
        {str(k): v for k, v in row.items() if isinstance(v, str) and v}
        for row in frame.to_dict(orient="records")
    ]


def _load(weights: Path, manifest: dict[str, Any], own_base: str | None) -> Any:
    import transformers

    labels = manifest["labels"]
    auto = (
        transformers.AutoModelForSequenceClassification
        if labels
        else transformers.AutoModelForCausalLM
    )
    if not (weights / "adapter_config.json").exists():
        return auto.from_pretrained(weights)
    from peft import PeftModel

    head = {"num_labels": len(labels), "id2label": dict(enumerate(labels))} if labels else {}
    base = manifest["base_model"]
    revision = base["revision"] if base["kind"] == "hub" else None
    model = auto.from_pretrained(own_base or _location(base), revision=revision, **head)
    return PeftModel.from_pretrained(model, weights)


def _location(base: dict[str, str]) -> str:
    """Return where a base that is published elsewhere lies: a hub id, or an installed package."""
    if base["kind"] == "hub":
        return base["name"]
    spec = find_spec(base["name"].replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"the base of this adapter is a package: pip install {base['name']}"
        )
    return str(Path(spec.submodule_search_locations[0]) / "model")


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


set_model(TunedModel())
