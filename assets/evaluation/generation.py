"""Text from a model for many prompts at once, the same way for every arm."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from assets.evaluation.arms import Arm

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Decoding:
    """How the next token is drawn."""

    max_new_tokens: int
    temperature: float  # 0: always the most likely token
    top_p: float
    seed: int


def generate(
    arm: Arm,
    prompts: Sequence[list[int]],
    routes: Sequence[str],
    stop: set[int],
    how: Decoding,
    batch_size: int,
) -> list[str]:
    """Return one text a prompt, without special tokens; drawing begins anew from the seed.

    `routes` says which of several adapters each prompt is for.
    """
    import transformers

    from assets.loading.models import adapters_for

    transformers.set_seed(how.seed)
    longest_first = sorted(range(len(prompts)), key=lambda i: len(prompts[i]), reverse=True)
    texts: dict[int, str] = {}
    for start in range(0, len(longest_first), batch_size):
        batch = longest_first[start : start + batch_size]
        adapters = adapters_for(arm.model, [routes[i] for i in batch])
        made = _batch(arm, [prompts[i] for i in batch], adapters, stop, how)
        texts.update(zip(batch, made, strict=True))
    return [texts[i] for i in range(len(prompts))]


def _batch(
    arm: Arm,
    prompts: list[list[int]],
    adapters: dict[str, list[str]],
    stop: set[int],
    how: Decoding,
) -> list[str]:
    import torch

    ends = sorted(stop)
    ids, mask = _left_padded(prompts, ends[0] if ends else 0)
    sampling = {"do_sample": True, "temperature": how.temperature, "top_p": how.top_p, "top_k": 0}
    with torch.inference_mode():
        made = arm.model.generate(  # type: ignore[operator]
            input_ids=ids.to(arm.model.device),
            attention_mask=mask.to(arm.model.device),
            max_new_tokens=how.max_new_tokens,
            eos_token_id=ends or None,
            pad_token_id=ends[0] if ends else 0,
            **adapters,
            **(sampling if how.temperature > 0 else {"do_sample": False}),
        )
    return [_text(arm, row.tolist(), stop) for row in made[:, ids.shape[1] :]]


def _left_padded(prompts: list[list[int]], filler: int) -> "tuple[torch.Tensor, torch.Tensor]":
    import torch

    width = max(map(len, prompts))
    ids = [[filler] * (width - len(prompt)) + prompt for prompt in prompts]
    mask = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    return torch.tensor(ids), torch.tensor(mask)


def _text(arm: Arm, ids: list[int], stop: set[int]) -> str:
    end = next((position for position, token in enumerate(ids) if token in stop), len(ids))
    return str(arm.tokenizer.decode(ids[:end], skip_special_tokens=True)).strip()


def stop_ids(arm: Arm, trained: Sequence[list[int]]) -> set[int]:
    """Return what ends a text: the tokenizer's end token, and what most completions end on."""
    own = cast("int | None", arm.tokenizer.eos_token_id)
    last, _count = Counter(completion[-1] for completion in trained).most_common(1)[0]
    ends = {last} & set(arm.tokenizer.all_special_ids)
    return ends if own is None else ends | {own}
