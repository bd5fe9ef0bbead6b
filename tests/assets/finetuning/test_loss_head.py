"""The loss over labelled positions is the plain loss: same value, same gradients."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from peft import LoraConfig, PrefixTuningConfig, PromptTuningConfig, get_peft_model
from torch.nn import functional
from transformers.models.cohere import CohereConfig, CohereForCausalLM
from transformers.models.gemma2 import Gemma2Config, Gemma2ForCausalLM
from transformers.models.llama import LlamaConfig, LlamaForCausalLM
from transformers.models.mixtral import MixtralConfig, MixtralForCausalLM
from transformers.models.qwen2 import Qwen2Config, Qwen2ForCausalLM

from assets.finetuning.loss_head import is_exact, labelled_loss

SHAPE: dict[str, Any] = {
    "vocab_size": 97,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "pad_token_id": 0,
}


def llama(**more: Any) -> LlamaForCausalLM:
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(**SHAPE, **more)).train()


def adapted(config: Any) -> Any:
    return get_peft_model(llama(), config).train()  # type: ignore[arg-type]


def ragged() -> dict[str, torch.Tensor]:
    """Return three rows, padded on the right; one has a label in its prompt, one a single label."""
    torch.manual_seed(1)
    ids = torch.randint(3, 97, (3, 12))
    mask = torch.ones_like(ids)
    mask[0, 7:] = mask[2, 10:] = 0
    labels = ids.masked_fill(mask == 0, -100)
    labels[:, :4] = labels[1, :11] = -100
    labels[2, 1] = ids[2, 1]
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def plain_loss(model: Any, inputs: dict[str, torch.Tensor], smoothing: float = 0) -> torch.Tensor:
    logits = model(**{k: v for k, v in inputs.items() if k != "labels"}).logits[:, :-1].float()
    labels = inputs["labels"][:, 1:].flatten()
    return functional.cross_entropy(logits.flatten(0, 1), labels, label_smoothing=smoothing)


def gradients(model: Any, loss: torch.Tensor) -> list[torch.Tensor]:
    model.zero_grad()
    loss.backward()
    return [p.grad.clone() for p in model.parameters() if p.requires_grad and p.grad is not None]


MODELS: dict[str, Callable[[], Any]] = {
    "tied": lambda: llama(tie_word_embeddings=True),
    "untied": llama,
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SHAPE)),
    "scaled logits": lambda: CohereForCausalLM(CohereConfig(**SHAPE)),
    "capped logits": lambda: Gemma2ForCausalLM(Gemma2Config(**SHAPE, head_dim=8)),
    "lora": lambda: adapted(LoraConfig(target_modules="all-linear", init_lora_weights=False)),
    "lora on the head": lambda: adapted(
        LoraConfig(target_modules=["q_proj", "lm_head"], init_lora_weights=False)
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_loss_and_gradients_are_those_of_all_positions(name: str) -> None:
    model, inputs = MODELS[name]().train(), ragged()
    assert is_exact(model)
    plain, ours = plain_loss(model, inputs), labelled_loss(model, inputs)
    torch.testing.assert_close(ours, plain, rtol=1e-5, atol=1e-6)
    expected = gradients(model, plain)
    torch.testing.assert_close(gradients(model, ours), expected, rtol=1e-5, atol=1e-6)


def test_smoothed_labels_are_those_of_transformers() -> None:
    model, inputs = llama(), ragged()
    smoothed = labelled_loss(model, inputs, label_smoothing=0.1)
    torch.testing.assert_close(smoothed, plain_loss(model, inputs, 0.1))


def test_rows_one_by_one_add_up_to_the_batch() -> None:
    model, inputs = llama(), ragged()
    whole = gradients(model, labelled_loss(model, inputs))
    count = (inputs["labels"][:, 1:] != -100).sum()
    parts = torch.stack(
        [
            labelled_loss(model, {k: v[i : i + 1] for k, v in inputs.items()}, count)
            for i in range(3)
        ]
    )
    torch.testing.assert_close(gradients(model, parts.sum()), whole, rtol=1e-5, atol=1e-6)


def test_checkpointing_and_noise_change_nothing_of_it() -> None:
    model, inputs = llama(), ragged()
    expected = gradients(model, labelled_loss(model, inputs))
    model.gradient_checkpointing_enable()
    torch.testing.assert_close(gradients(model, labelled_loss(model, inputs)), expected)


def test_a_batch_without_labels_has_no_loss_and_no_gradient() -> None:
    model, inputs = llama(), ragged()
    loss = labelled_loss(model, inputs | {"labels": torch.full((3, 12), -100)})
    assert float(loss.detach()) == 0
    assert not any(g.abs().max() for g in gradients(model, loss))


def test_the_head_is_left_as_it_was_even_by_an_error() -> None:
    model = llama()
    with pytest.raises(ValueError, match="specify exactly one of input_ids"):
        labelled_loss(model, {"labels": ragged()["labels"]})
    assert not model.lm_head._forward_pre_hooks


@pytest.mark.parametrize(
    "model",
    [
        MixtralForCausalLM(MixtralConfig(**SHAPE, num_local_experts=2)),
        adapted(PromptTuningConfig(num_virtual_tokens=2, task_type="CAUSAL_LM")),
        adapted(PrefixTuningConfig(num_virtual_tokens=2, task_type="CAUSAL_LM")),
    ],
    ids=["experts", "prompt tuning", "prefix tuning"],
)
def test_where_it_is_not_the_whole_loss_it_says_so(model: Any) -> None:
    assert not is_exact(model)
