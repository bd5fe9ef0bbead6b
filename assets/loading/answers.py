"""What a loaded model answers to one input, by its kind. Heavy.

It goes along with a registered model, so it knows nothing of the rest of the project.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from assets.loading.entities import Span, spans_of
from assets.loading.models import adapters_for, kind_of, load_tuned
from assets.loading.ready import ready
from assets.loading.text_pairs import encode_pair

Message = dict[str, str]  # role and content


class Answers:
    """A tuned model with its tokenizer and the template that it was trained on."""

    def __init__(
        self,
        folder: Path,
        manifest: Mapping[str, Any],
        template: Mapping[str, Any],
        base_path: str | None,
    ) -> None:
        """Load a published `fine_tuned_model`; `base_path` is where an adapter's base lies."""
        self.kind, self.rows = kind_of(manifest), str(template["kind"])
        self.labels: list[str] = manifest["labels"] or []
        self.system: str = template.get("system") or ""
        self.limit: int = template["max_length"]
        model, self.tokenizer = load_tuned(folder, base_path)
        self.model = ready(model, self.tokenizer, self.kind, self.limit)

    def written(self, prompt: str, max_new_tokens: int, temperature: float, route: str = "") -> str:
        """Return the text that a causal model writes; temperature 0 is always the same.

        `route` chooses one of several adapters.
        """
        ids = self._asked(prompt)
        if len(ids) >= self.limit:
            raise ValueError(
                f"the prompt has {len(ids)} tokens; this model takes fewer than {self.limit}"
            )
        inputs = self._tensors({"input_ids": ids})
        sampling = {"do_sample": True, "temperature": temperature}
        with torch.inference_mode():
            made = self.model.generate(
                **inputs,
                max_new_tokens=max_new_tokens,
                eos_token_id=self.tokenizer.eos_token_id,
                pad_token_id=self.tokenizer.eos_token_id,
                **adapters_for(self.model, [route]),
                **(sampling if temperature > 0 else {"do_sample": False}),
            )
        return str(self.tokenizer.decode(made[0, len(ids) :], skip_special_tokens=True)).strip()

    def label(self, text: str) -> tuple[str, float]:
        """Return the label of a text, and its probability."""
        ids = self.tokenizer(text, truncation=True, max_length=self.limit)["input_ids"]
        score, index = self._logits({"input_ids": ids})[0].softmax(dim=-1).max(dim=-1)
        return self.labels[int(index)], float(score)

    def entities(self, text: str) -> list[Span]:
        """Return what stands in a text of any length, which is read in pieces of `max_length`."""
        windows: Any = self.tokenizer(
            text,
            truncation=True,
            max_length=self.limit,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
        )
        offsets: list[tuple[int, int] | None] = []
        tags: list[str | None] = []
        for number, ids in enumerate(windows["input_ids"]):
            best = self._logits({"input_ids": ids})[0].argmax(-1).tolist()
            tags += [self.labels[i] for i in best]
            places = zip(
                windows["offset_mapping"][number],
                windows["special_tokens_mask"][number],
                strict=True,
            )
            offsets += [None if special else (place[0], place[1]) for place, special in places]
        return spans_of(text, offsets, tags)

    def embeddings(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a unit vector for each text: the cosine of two is their product."""
        made = self.model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return made.astype(float).tolist()

    def pair_score(self, query: str, document: str) -> float:
        """Return how well a document answers a query."""
        pair = encode_pair(query, document, self.tokenizer, self.model, self.limit)
        return float(self._logits(pair)[0, 0])

    def answer_score(self, prompt: str, completion: str) -> float:
        """Return how much an answer to a prompt is liked."""
        chat = [*self._messages(prompt), {"role": "assistant", "content": completion}]
        ids: Any = self.tokenizer.apply_chat_template(chat, return_dict=True)
        return float(self._logits({"input_ids": list(ids["input_ids"])[: self.limit]})[0, 0])

    def _messages(self, prompt: str) -> list[Message]:
        before = [{"role": "system", "content": self.system}] if self.system else []
        return [*before, {"role": "user", "content": prompt}]

    def _asked(self, prompt: str) -> list[int]:
        """Return the prompt's ids: as a chat, or as the opening of a text."""
        if self.rows == "plain":
            return list(self.tokenizer(prompt, verbose=False)["input_ids"])  # type: ignore[arg-type]
        made: Any = self.tokenizer.apply_chat_template(
            self._messages(prompt), add_generation_prompt=True, return_dict=True
        )
        return list(made["input_ids"])

    def _logits(self, features: Mapping[str, Any]) -> torch.Tensor:
        with torch.inference_mode():
            return self.model(**self._tensors(features)).logits.float()

    def _tensors(self, features: Mapping[str, Any]) -> dict[str, torch.Tensor]:
        mask = {"attention_mask": [1] * len(features["input_ids"])}
        return {
            name: torch.tensor([values], device=self.model.device)
            for name, values in {**features, **mask}.items()
        }
