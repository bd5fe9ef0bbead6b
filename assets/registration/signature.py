"""What a registered model takes and gives, as MLflow writes it down and checks it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from assets.questions import question_of

if TYPE_CHECKING:
    from mlflow.models import ModelSignature


def signature_of(manifest: Mapping[str, Any], template: Mapping[str, Any]) -> "ModelSignature":
    """Return the signature of a `fine_tuned_model`, by its manifest and its template."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema
    from mlflow.types.schema import Array, DataType, Object, Property

    text = Schema([ColSpec("string")])  # no name: a list of texts is accepted as it is
    asked = question_of(manifest)
    if asked.model in ("causal", "hosted"):
        return _of_a_writer("adapters" in manifest)
    if asked.model == "tokens":
        ends = [Property(name, DataType.long) for name in ("start", "end")]
        entity = Object([*ends, Property("label", DataType.string)])
        return ModelSignature(
            text, Schema([ColSpec(Array(entity), "entities"), ColSpec("string", "masked")])
        )
    if asked.model == "embedding":
        return ModelSignature(text, Schema([ColSpec(Array(DataType.double), "embedding")]))
    score = ColSpec("double", "score")
    if asked.model == "score":
        names = ("query", "document") if asked.rows == "retrieval" else ("prompt", "completion")
        return ModelSignature(Schema([ColSpec("string", n) for n in names]), Schema([score]))
    fields = dict.fromkeys([*template["fields"], "text"])
    return ModelSignature(
        Schema([ColSpec("string", name, required=False) for name in fields]),
        Schema([ColSpec("string", "label"), score]),
    )


def _of_a_writer(routed: bool) -> "ModelSignature":
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

    prompt, route = ColSpec("string", "prompt"), ColSpec("string", "route", required=False)
    length, heat = ("max_new_tokens", "long", 256), ("temperature", "double", 0.0)
    return ModelSignature(
        Schema([prompt, route] if routed else [ColSpec("string")]),
        Schema([ColSpec("string", "text")]),
        ParamSchema([ParamSpec(*length), ParamSpec(*heat)]),
    )
