"""training_examples: validated samples as token ids and labels, with template and tokenizer."""

import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg

from assets.charts import histogram
from assets.models import parse_base_model
from assets.records import Sample, TrainingExample, content_hash, to_rows
from assets.templating import preflight, render
from assets.templating.comparisons import (
    Compared,
    preference_problems,
    render_preferences,
    render_retrieval,
    retrieval_problems,
)
from assets.templating.config import TemplatingConfig
from assets.templating.kinds import Kind, identity, kind_of, read, shown, tokens
from assets.templating.plain import plain_problems, render_plain
from assets.templating.token_labels import Tagged, mark_entities, render_tokens, token_problems
from assets.templating.tokenizer import load_tokenizer
from resources.artifact_store import Artifact, ArtifactStore
from resources.check_records import blocking_result
from resources.model_registry import ModelRegistry
from resources.presentation import picture, table_preview

VERSION = "2"


def build(
    pipeline: str,
    config: TemplatingConfig,
    kind: Kind | None,
    base_model: str,
    labels: tuple[str, ...],
    route_by: str | None = None,
) -> list[dg.AssetsDefinition]:
    """Return training_examples and its preflight check for one pipeline.

    `kind` is what the objective wants; without one the samples are rendered as what they are.
    `route_by` is the field of a chat that says which of several adapters it belongs to.
    """
    base_model = config.tokenizer or base_model
    key = dg.AssetKey([pipeline, "training_examples"])
    samples_key = dg.AssetKey([pipeline, "validated_samples"])
    named = parse_base_model(base_model)
    other = [dg.AssetKey([named.name, "registered_model"])] if named.kind == "pipeline" else []
    settings = [VERSION, config.model_dump(mode="json"), config.template_source(), kind, base_model]

    @dg.asset(
        key=key,
        deps=[samples_key, *other],
        kinds={"transformers", "parquet"},
        code_version=content_hash([*settings, labels, route_by]),
        description="Rendered by the one template and tokenised, prompt tokens masked with -100.",
    )
    def training_examples(
        context: dg.AssetExecutionContext, store: ArtifactStore, model_registry: ModelRegistry
    ) -> dg.MaterializeResult:
        rows = store.latest(context, samples_key).rows()
        samples = [Sample.from_row(row) for row in rows]
        with TemporaryDirectory() as folder:
            found = _kind_of(samples, kind)
            base = model_registry.located(base_model)
            made = _render(samples, config, found, base, labels, Path(folder))
            rows = to_rows(_routed(made, samples, route_by))
            version = content_hash(identity(rows))
            cut = [{"id": sample_id} for sample_id in sorted(made.truncated)]
            faults = {"faults": made.faults} if isinstance(made, Tagged) else {}
            artifact = store.publish_files(
                key, version, Path(folder), rows=rows, truncated=cut, **faults
            )
        return artifact.result(**_metadata(artifact, made, found))

    @dg.asset_check(
        asset=key,
        name="preflight",
        blocking=True,
        description="Nothing is cut silently, every row has something to learn, the end token too.",
    )
    def check(context: dg.AssetCheckExecutionContext, store: ArtifactStore) -> dg.AssetCheckResult:
        artifact = store.latest(context, key)
        problems = _problems(artifact, config)
        return blocking_result(
            not problems, artifact.version, "\n".join(problems) or "ready to train"
        )

    return [training_examples, check]


def _render(
    samples: list[Sample],
    config: TemplatingConfig,
    kind: Kind,
    base_model: str,
    labels: tuple[str, ...],
    folder: Path,
) -> render.Rendered | Compared:
    """Render the samples; write tokenizer/ and template.json into `folder`."""
    training = [s.fields for s in samples if s.split == "train"]
    texts = [t for fields in training for name, t in sorted(fields.items()) if name != "spans"]
    base = parse_base_model(base_model)
    tokenizer = load_tokenizer(base, [*texts, config.system], config.vocab_size)
    template: dict[str, object] = {"kind": kind, "max_length": config.max_length, "labels": None}
    if kind in ("chat", "preference"):
        tokenizer.chat_template = config.template_source()
        made = (render.render_chats if kind == "chat" else render_preferences)(
            samples, tokenizer, config.system, config.max_length
        )
        template["system"] = config.system
    elif kind == "retrieval":
        made = render_retrieval(samples, tokenizer, config.max_length)
    elif kind == "tokens":
        made = render_tokens(samples, tokenizer, config.max_length)
        template["labels"] = list(made.labels)
    elif kind == "plain":
        made = render_plain(samples, tokenizer, config.max_length)
    else:
        classes = labels or tuple(sorted({s.fields["label"] for s in samples}))
        made = render.render_texts(samples, tokenizer, config.fields, classes, config.max_length)
        template |= {"fields": list(config.fields), "labels": list(classes)}
    template["template_hash"] = content_hash([template, config.template_source()])
    tokenizer.save_pretrained(folder / "tokenizer")
    (folder / "template.json").write_text(json.dumps(template, indent=2), encoding="utf-8")
    return made


def _routed(made: Any, samples: list[Sample], route_by: str | None) -> list[Any]:
    if route_by is None:
        return made.examples
    try:
        return render.routed(made.examples, samples, route_by)
    except ValueError as error:
        raise dg.Failure(str(error), allow_retries=False) from None


def _kind_of(samples: list[Sample], wanted: Kind | None) -> Kind:
    try:
        return kind_of(samples, wanted)
    except ValueError as error:
        raise dg.Failure(str(error), allow_retries=False) from None


def _metadata(
    artifact: Artifact, made: render.Rendered | Compared, kind: Kind
) -> dict[str, object]:
    lengths = [tokens(e) for e in made.examples]
    example = next((e for e in made.examples if e.split == "train"), None)
    decoded = "" if example is None else example.text
    if isinstance(example, TrainingExample) and kind == "chat":
        decoded = render.mark_learnt(example, _tokenizer(artifact))
    if isinstance(example, TrainingExample) and isinstance(made, Tagged):
        decoded = mark_entities(example, _tokenizer(artifact), made.labels)
    return {
        **_entities(made),
        "kind": kind,
        "rows": len(lengths),
        "tokens": sum(lengths),
        "longest": max(lengths, default=0),
        "truncated": len(made.truncated),
        "one_example": dg.MetadataValue.md(f"Learnt: between ⟦ and ⟧.\n```\n{decoded}\n```"),
        "token_histogram": picture(histogram(lengths, "Tokens a row", "tokens")),
        "preview": table_preview([shown(e) for e in made.examples]),
    }


def _entities(made: render.Rendered | Compared) -> dict[str, object]:
    """Return how many entities of each kind are learnt, and how many are not as they stand."""
    if not isinstance(made, Tagged):
        return {}
    begun = Counter(
        made.labels[label][2:]
        for example in made.examples
        for label in example.labels
        if label >= 0 and made.labels[label].startswith("B-")
    )
    faults = Counter(fault["fault"] for fault in made.faults)
    return {
        "entities": dg.MetadataValue.json(dict(sorted(begun.items()))),
        "entities_cut": faults["cut"],
        "entities_unaligned": faults["unaligned"],
    }


def _problems(artifact: Artifact, config: TemplatingConfig) -> list[str]:
    template = artifact.json("template.json")
    examples: Any = read(template["kind"], artifact.rows())
    truncated = {str(row["id"]) for row in artifact.rows("truncated")}
    match template["kind"]:
        case "preference":
            found = preference_problems(examples)
        case "retrieval":
            found = retrieval_problems(examples)
        case "chat":
            found = preflight.chat_problems(examples, truncated, _tokenizer(artifact))
        case "tokens":
            found = token_problems(examples, artifact.rows("faults"), template["labels"])
        case "plain":
            found = plain_problems(examples, _tokenizer(artifact))
        case _:
            found = preflight.text_problems(examples, len(template["labels"]))
    limits = (len(examples), config.max_truncated_rate, config.max_length)
    return [
        *preflight.empty_splits(examples),
        *found,
        *preflight.truncation_problem(len(truncated), *limits),
    ]


def _tokenizer(artifact: Artifact):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(artifact.path / "tokenizer")
