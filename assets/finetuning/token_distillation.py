"""transformers' Trainer with the teacher's distribution as the label. Heavy: only inside jobs.

Logits are computed where some row of the batch learns, of student and teacher alike; a vocabulary
that is padded further in one of the two is cut to the tokens that exist.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch.nn.functional import kl_div
from transformers import GenerationConfig, Trainer
from trl.models.utils import unwrap_model_for_generation

MASKED = -100


class DistillationTrainer(Trainer):
    """Learns from the rows or, in a share of the batches, from the student's own answers."""

    def __init__(self, *args: Any, teacher: Any, options: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.teacher = teacher.requires_grad_(False).eval().to(self.args.device)
        self.options = options
        tokenizer: Any = self.processing_class
        self.tokens = len(tokenizer)
        self.generation_config = (  # of its own answers
            GenerationConfig(
                max_new_tokens=options.max_completion_length,
                do_sample=True,
                temperature=options.temperature,
                top_k=0,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
            )
            if options.lmbda
            else None
        )

    def get_batch_samples(
        self, epoch_iterator: Iterator, num_batches: int, device: torch.device
    ) -> tuple[list, Any]:
        """Return the next batches, some of them answered anew, and how many tokens they learn."""
        batches, count = super().get_batch_samples(epoch_iterator, num_batches, device)
        if not self.options.lmbda:
            return batches, count
        drawn = torch.rand(len(batches)).tolist()
        answered = [
            self._answered(batch) if draw < self.options.lmbda else batch
            for batch, draw in zip(batches, drawn, strict=True)
        ]
        return answered, self._get_num_items_in_batch(answered, device)

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Return the divergence a learnt token."""
        learnt = inputs["labels"][:, 1:] != MASKED
        places = learnt.any(0).nonzero()[:, 0]
        asked = {
            "input_ids": inputs["input_ids"],
            "attention_mask": inputs["attention_mask"],
            "logits_to_keep": places,
            "use_cache": False,
        }
        outputs = model(**asked)
        with torch.no_grad():
            wanted = self.teacher(**asked).logits
        student, teacher = (
            logits[learnt[:, places], : self.tokens].float() / self.options.temperature
            for logits in (outputs.logits, wanted)
        )
        lost = divergence(student, teacher, self.options.beta).sum()
        loss = lost / (learnt.sum() if num_items_in_batch is None else num_items_in_batch)
        if num_items_in_batch is not None and self.args.average_tokens_across_devices:
            loss = loss * self.accelerator.num_processes  # the count is of all, the mean of one
        return (loss, outputs) if return_outputs else loss

    def prediction_step(
        self, model: Any, inputs: Any, prediction_loss_only: bool, ignore_keys: Any = None
    ) -> tuple[torch.Tensor, None, None]:
        """Return the loss of an evaluated batch, and no logits."""
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            return self.compute_loss(model, inputs).detach(), None, None

    def _answered(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return the batch's prompts with answers that the student samples."""
        tokenizer: Any = self.processing_class
        prompts = [_prompt(*row) for row in zip(batch["input_ids"], batch["labels"], strict=True)]
        longest = max(map(len, prompts))
        padding = [longest - len(prompt) for prompt in prompts]
        pad = tokenizer.pad_token_id
        padded = [[pad] * n + prompt for n, prompt in zip(padding, prompts, strict=True)]
        mask = [[0] * n + [1] * (longest - n) for n in padding]
        student: Any = self.model
        student.eval()
        with unwrap_model_for_generation(self.model_wrapped, self.accelerator) as model:
            written = model.generate(
                torch.tensor(padded, device=self.args.device),
                attention_mask=torch.tensor(mask, device=self.args.device),
                generation_config=self.generation_config,
            )
        student.train()
        answers = [_ended(ids, tokenizer.eos_token_id) for ids in written[:, longest:].tolist()]
        return self.data_collator(
            [
                {"input_ids": prompt + answer, "labels": [MASKED] * len(prompt) + answer}
                for prompt, answer in zip(prompts, answers, strict=True)
            ]
        )


def divergence(student: torch.Tensor, teacher: torch.Tensor, beta: float) -> torch.Tensor:
    """Return the divergence of each token's logits, by the generalised Jensen-Shannon's beta.

    0 is KL(teacher || student), 1 is KL(student || teacher), 0.5 the Jensen-Shannon divergence.
    """
    ours, theirs = student.log_softmax(-1), teacher.log_softmax(-1)
    if beta == 0:
        return _kl(theirs, ours)
    if beta == 1:
        return _kl(ours, theirs)
    weights = torch.tensor([beta, 1 - beta], device=ours.device).log()
    mixed = torch.logsumexp(torch.stack([theirs + weights[0], ours + weights[1]]), dim=0)
    return beta * _kl(theirs, mixed) + (1 - beta) * _kl(ours, mixed)


def _kl(of: torch.Tensor, to: torch.Tensor) -> torch.Tensor:
    return kl_div(to, of, reduction="none", log_target=True).sum(-1)


def _prompt(ids: torch.Tensor, labels: torch.Tensor) -> list[int]:
    return ids[: int((labels != MASKED).int().argmax())].tolist()


def _ended(ids: list[int], end: int) -> list[int]:
    """Return the ids up to the first end token, which stays."""
    return ids[: ids.index(end) + 1] if end in ids else ids
