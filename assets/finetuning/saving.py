"""What a training leaves: the model under `folder/model`, finished where that is asked for."""

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.jobs import Say
from assets.models import parse_base_model

if TYPE_CHECKING:
    from assets.finetuning.training import Training


def save(training: "Training", model_kind: str, examples: Path, folder: Path) -> None:
    """Write the trained weights, or the adapter, with tokenizer and template to `folder/model`."""
    from assets.loading.saving import save_model

    shutil.rmtree(folder / "trainer", ignore_errors=True)
    save_model(training.model, model_kind, folder / "model")
    _save_beside(training, examples, folder)


def _save_beside(training: "Training", examples: Path, folder: Path) -> None:
    training.tokenizer.save_pretrained(folder / "model")
    shutil.copy(examples / "template.json", folder / "model")


def finish_saved(
    manifest: dict[str, Any], training: "Training", examples: Path, folder: Path, say: Say
) -> dict[str, Any] | None:
    """Merge, average or quantise the saved model where the job asks for it; return the report."""
    asked = manifest["finishing"]
    if not any(asked.values()):
        return None
    from assets.finetuning.finishing import finish
    from assets.loading.models import load_weights
    from assets.loading.saving import save_model

    kind = manifest["model_kind"]
    tuned = load_weights(manifest, folder / "model").to(training.model.device)
    rows = training.eval or training.train
    others = [(_like(manifest, at, training), s) for at, s in asked["average_with"].items()]
    model, report = finish(
        tuned, kind, rows, asked["merge_adapter"], asked["quantise"], say, others
    )
    shutil.rmtree(folder / "model")
    save_model(model, kind, folder / "model")
    _save_beside(training, examples, folder)
    return report


def _like(manifest: dict[str, Any], named: str, training: "Training") -> Any:
    """Return the inner model that `named` says, which reads the same tokens as the trained one."""
    from transformers import AutoTokenizer

    from assets.loading.models import inner_model, load_base

    base = parse_base_model(named)
    place = {"path": base.location(), "revision": base.revision}
    tokenizer = AutoTokenizer.from_pretrained(place["path"], revision=place["revision"])
    if tokenizer.get_vocab() != training.tokenizer.get_vocab():
        raise ValueError(f"average_with {named!r}: its vocabulary is not that of the trained model")
    whole = {"base_model": place, "quantization": None, "student_layers": None}
    other = load_base({**manifest, **whole})
    return inner_model(other, manifest["model_kind"]).to(training.model.device)


def weights_hash(folder: Path) -> str:
    """Return 16 hex digits of SHA-256 over the safetensors files below a folder, names included."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.safetensors")):
        digest.update(path.relative_to(folder).as_posix().encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:16]
