"""TRL's GRPOTrainer over prompts that are rendered and tokenised already. Heavy: only in jobs."""

from typing import Any

from trl.trainer.grpo_trainer import GRPOTrainer


class RenderedGRPOTrainer(GRPOTrainer):
    """Takes the column `prompt` as token ids."""

    def _tokenize_prompts(
        self, prompts: list[list[int]]
    ) -> tuple[list[list[int]], None, dict[str, Any]]:
        """Return the prompts, no images and no further fields."""
        return prompts, None, {}
