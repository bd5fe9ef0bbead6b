"""Where the transformer blocks of a model are, and what of it was newly drawn for the task."""

import torch
from torch import nn
from transformers import PreTrainedModel


def blocks(model: PreTrainedModel) -> dict[str, nn.Module]:
    """Return the transformer blocks by their names in the model, first to last."""
    count = model.config.num_hidden_layers
    for name, module in model.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == count:
            return {f"{name}.{i}": block for i, block in enumerate(module)}
    raise ValueError(
        f"{type(model).__name__} keeps its {count} layers in no list of {count} modules "
        "(ALBERT, for one, shares its layers): choose a method that needs none, lora or full"
    )


def keep_layers(model: PreTrainedModel, count: int) -> None:
    """Leave a model `count` of its blocks, taken evenly: of 12, 6 are 0, 2, 4, 7, 9 and 11.

    So DistilBERT began (Sanh et al. 2019). Raises ValueError where the model has fewer.
    """
    named = blocks(model)
    if not 1 <= count <= len(named):
        raise ValueError(f"student_layers {count}: the base model has {len(named)}")
    last = len(named) - 1
    kept = [round(i * last / (count - 1)) for i in range(count)] if count > 1 else [0]
    modules = list(named.values())
    at, _, name = next(iter(named)).rpartition(".")[0].rpartition(".")
    setattr(model.get_submodule(at), name, nn.ModuleList(modules[i] for i in kept))
    for number, i in enumerate(kept):
        for part in modules[i].modules():
            if hasattr(part, "layer_idx"):  # where it stands in the cache of what was read
                part.layer_idx = number  # type: ignore[assignment]
    model.config.num_hidden_layers = count
    if getattr(model.config, "layer_types", None):
        model.config.layer_types = [model.config.layer_types[i] for i in kept]


def from_block(model: PreTrainedModel, name: str) -> list[nn.Parameter]:
    """Return the parameters of a block and of all that is registered after it.

    After the blocks come the final norm, the pooler and the head. A head that is tied to the input
    embeddings is the embedding matrix, which comes before them.
    """
    names = [n for n, _ in model.named_parameters()]
    first = next(i for i, n in enumerate(names) if n.startswith(f"{name}."))
    return list(model.parameters())[first:]


def pooler(model: PreTrainedModel) -> nn.Module | None:
    """Return the pooler of an encoder; None where it has none."""
    return getattr(model.base_model, "pooler", None)


def new_parameters(model: PreTrainedModel) -> list[nn.Parameter]:
    """Return what a task added to the body, and its pooler; nothing for a bare body.

    The pooler is pre-trained for another task, if at all: a head can hardly learn without it.
    """
    body = model.base_model
    if body is model:
        return []
    inside = {id(p) for p in body.parameters()}
    head = [p for p in model.parameters() if id(p) not in inside]
    pooled = pooler(model)
    return head + (list(pooled.parameters()) if pooled is not None else [])


def feed_forward_outputs(model: PreTrainedModel) -> dict[str, nn.Linear]:
    """Return each block's last matrix, which brings the feed-forward back to the hidden size."""
    found = {}
    for name, block in blocks(model).items():
        matrices = [(n, m) for n, m in block.named_modules() if isinstance(m, nn.Linear)]
        if not matrices or matrices[-1][1].out_features != model.config.hidden_size:
            raise ValueError(
                f"{name} of {type(model).__name__} does not end in a matrix back to the hidden "
                f"size of {model.config.hidden_size}: an adapter has no place there; choose lora"
            )
        found[f"{name}.{matrices[-1][0]}"] = matrices[-1][1]
    return found


def device_of(model: nn.Module) -> torch.device:
    """Return the device of a model's first parameter."""
    return next(model.parameters()).device
