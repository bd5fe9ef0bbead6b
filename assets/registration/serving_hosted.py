"""The code that MLflow runs to serve a model that lies at the service that tuned it.

    load_model("models:/linkedin_writer@champion").predict(["slow backfills; on-call"])
        prompts in, column `text` out; params: max_new_tokens, temperature

The key comes from OPENAI_API_KEY, the address from OPENAI_BASE_URL (unset: OpenAI), when it is
asked; neither is kept with the model.
"""

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext


class HostedModel(PythonModel):
    """Sends each prompt to the service, as the model was tuned to be asked."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the model's name there, and the system message that it learnt with."""
        self.model: str = _read(Path(context.artifacts["manifest"]))["hosted_model"]
        template = _read(Path(context.artifacts["model"]) / "template.json")
        self.system: str = template.get("system") or ""

    def predict(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Return one row an input row."""
        from openai import OpenAI

        address = os.environ.get("OPENAI_BASE_URL")
        # a service of one's own may ask for no key; OpenAI's client says which variable it misses
        client = OpenAI(api_key=os.environ.get("OPENAI_API_KEY") or ("none" if address else None))
        asked = params or {}
        name = "max_tokens" if address else "max_completion_tokens"  # OpenAI refuses the old one
        limit: Any = {name: int(asked.get("max_new_tokens", 256))}
        temperature = float(asked.get("temperature", 0.0))
        texts = []
        for prompt in model_input.iloc[:, 0]:
            made: Any = client.chat.completions.create(
                model=self.model,
                messages=self._messages(str(prompt)),
                temperature=temperature,
                **limit,
            )
            texts.append(made.choices[0].message.content or "")
        return pd.DataFrame({"text": texts})

    def _messages(self, prompt: str) -> Any:
        system = [{"role": "system", "content": self.system}] if self.system else []
        return [*system, {"role": "user", "content": prompt}]


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


set_model(HostedModel())
