"""TRL's DPOTrainer over rows that are rendered and tokenised already. Heavy: only inside jobs."""

from typing import Any

from datasets import Dataset
from peft import PeftModel
from trl.trainer.dpo_trainer import DPOTrainer


class RenderedDPOTrainer(DPOTrainer):
    """Takes `prompt_ids`, `chosen_ids` and `rejected_ids` as they are."""

    def _prepare_dataset(
        self, dataset: Any, processing_class: Any, args: Any, dataset_name: str
    ) -> Any:
        return dataset

    def _precompute_ref_logps(self, dataset: Dataset, name: str, batch_size: int) -> Dataset:
        drop_reference_adapter(self.model)
        return super()._precompute_ref_logps(dataset, name, batch_size)


def drop_reference_adapter(model: Any) -> None:
    """Take out the copy of the adapter that TRL adds as reference; the base alone is the reference.

    It would be saved beside the adapter, and a prefix starts elsewhere than at the base.
    """
    if isinstance(model, PeftModel) and "ref" in model.peft_config:
        model.delete_adapter("ref")
