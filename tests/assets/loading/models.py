"""Two-layer models built in code, and what they give for two texts."""

from typing import Any

import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
)

IDS = torch.tensor([[5, 6, 7, 8, 9, 10, 11], [12, 13, 14, 15, 16, 17, 18]])
# 40 is no multiple of the 64 weights that share a scale, nor is 72
SHAPE: dict[str, Any] = {"vocab_size": 96, "hidden_size": 40, "intermediate_size": 72}
SHAPE |= {"num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 64}


def llama(tied: bool = True, **settings: Any) -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(**{**SHAPE, **settings}, tie_word_embeddings=tied, pad_token_id=0)
    return LlamaForCausalLM(config).eval()


def classifier(**settings: Any) -> BertForSequenceClassification:
    torch.manual_seed(0)
    return BertForSequenceClassification(
        BertConfig(**{**SHAPE, **settings, "num_labels": 3})
    ).eval()


def encoder() -> BertModel:
    torch.manual_seed(0)
    return BertModel(BertConfig(**SHAPE)).eval()


def outputs(model: Any) -> torch.Tensor:
    """Return the logits, or an encoder's last hidden state, of two texts."""
    with torch.inference_mode():
        return model.eval()(input_ids=IDS, attention_mask=torch.ones_like(IDS))[0]


def step(model: PreTrainedModel, learning_rate: float = 0.1) -> set[str]:
    """Take an optimizer step on a made-up loss; return the names of the parameters that moved."""
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], learning_rate)
    for _ in range(2):  # an adapter's first matrix moves once the second is no longer zero
        optimizer.zero_grad()
        model.train()(input_ids=IDS, attention_mask=torch.ones_like(IDS))[
            0
        ].square().sum().backward()
        optimizer.step()
    return {name for name, p in model.named_parameters() if not torch.equal(before[name], p)}
