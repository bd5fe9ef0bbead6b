"""TRL's DPOTrainer over rows that are rendered and tokenised already. Heavy: only inside jobs."""

from pathlib import Path
from typing import Any

from datasets import Dataset, load_from_disk
from peft import PeftModel
from trl.trainer.dpo_trainer import DPOTrainer

from assets import processes


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


def shared(rows: Dataset, folder: Path) -> Dataset:
    """Return the rows as every process of the training finds them, in `folder` where it has more.

    TRL keeps what the reference gives the answers in a file beside the rows; those in memory have a
    temporary folder for each process, and only the first one writes.
    """
    if processes.count() == 1 or not len(rows):
        return rows
    if processes.is_first():
        rows.save_to_disk(folder)
    processes.wait_for_all()
    found = load_from_disk(folder)
    assert isinstance(found, Dataset)
    return found
