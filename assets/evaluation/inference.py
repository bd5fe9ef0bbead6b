"""Class probabilities from an encoder. Heavy inside the function."""

from typing import cast

from assets.evaluation.arms import Arm
from assets.evaluation.baseline import Probabilities


def class_probabilities(arm: Arm, inputs: list[list[int]], batch_size: int) -> Probabilities:
    """Return one row of probabilities a text; batches hold texts of like length."""
    import torch

    longest_first = sorted(range(len(inputs)), key=lambda i: len(inputs[i]), reverse=True)
    table: dict[int, list[float]] = {}
    for start in range(0, len(inputs), batch_size):
        batch = longest_first[start : start + batch_size]
        rows = [torch.tensor(inputs[i]) for i in batch]
        mask = [torch.ones(len(row), dtype=torch.long) for row in rows]
        padded = torch.nn.utils.rnn.pad_sequence
        filler = cast("int | None", arm.tokenizer.pad_token_id) or 0
        with torch.inference_mode():
            logits = arm.model(
                input_ids=padded(rows, batch_first=True, padding_value=filler).to(arm.model.device),
                attention_mask=padded(mask, batch_first=True).to(arm.model.device),
            ).logits
        table.update(zip(batch, logits.double().softmax(-1).tolist(), strict=True))
    return [table[i] for i in range(len(inputs))]
