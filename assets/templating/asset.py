"""training_examples: validated samples as token ids and labels, with template and tokenizer."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import dagster as dg

from assets.charts import histogram
from assets.models import parse_base_model
from assets.records import Sample, content_hash, to_rows
from assets.templating import preflight, render
from assets.templating.config import TemplatingConfig
from assets.templating.tokenizer import load_tokenizer
from resources.artifact_store import Artifact, ArtifactStore
from resources.check_records import blocking_result
from resources.presentation import picture, table_preview

VERSION = "1"
Kind = Literal["chat", "text"]


def build(
    pipeline: str, config: TemplatingConfig, kind: Kind, base_model: str, labels: tuple[str, ...]
) -> list[dg.AssetsDefinition]:
    """Return training_examples and its preflight check for one pipeline."""
    key = dg.AssetKey([pipeline, "training_examples"])
    samples_key = dg.AssetKey([pipeline, "validated_samples"])
    settings = [VERSION, config.model_dump(mode="json"), config.template_source(), kind, base_model]

    @dg.asset(
        key=key,
        deps=[samples_key],
        kinds={"transformers", "parquet"},
        code_version=content_hash([*settings, labels]),
        description="Rendered by the one template and tokenised, prompt tokens masked with -100.",
    )
    def training_examples(
        context: dg.AssetExecutionContext, store: ArtifactStore
    ) -> dg.MaterializeResult:
        rows = store.latest(context, samples_key).rows()
        samples = [Sample.from_row(row) for row in rows]
        with TemporaryDirectory() as folder:
            made = _render(samples, config, kind, base_model, labels, Path(folder))
            rows = to_rows(made.examples)
            version = content_hash(
                [[r["id"], r["split"], r["input_ids"], r["labels"]] for r in rows]
            )
            cut = [{"id": sample_id} for sample_id in sorted(made.truncated)]
            artifact = store.publish_files(key, version, Path(folder), rows=rows, truncated=cut)
        return artifact.result(**_metadata(artifact, made, kind))

    @dg.asset_check(
        asset=key,
        name="preflight",
        blocking=True,
        description="Nothing is cut silently, every row has something to learn, the end token too.",
    )
    def check(context: dg.AssetCheckExecutionContext, store: ArtifactStore) -> dg.AssetCheckResult:
        artifact = store.latest(context, key)
        problems = _problems(artifact, config, kind)
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
) -> render.Rendered:
    """Render the samples; write tokenizer/ and template.json into `folder`."""
    training = [s.fields for s in samples if s.split == "train"]
    texts = [text for fields in training for _, text in sorted(fields.items())]
    base = parse_base_model(base_model)
    tokenizer = load_tokenizer(base, [*texts, config.system], config.vocab_size)
    template = {"kind": kind, "max_length": config.max_length}
    if kind == "chat":
        tokenizer.chat_template = config.template_source()
        made = render.render_chats(samples, tokenizer, config.system, config.max_length)
        template |= {"system": config.system, "labels": None}
    else:
        classes = labels or tuple(sorted({s.fields["label"] for s in samples}))
        made = render.render_texts(samples, tokenizer, config.fields, classes, config.max_length)
        template |= {"fields": list(config.fields), "labels": list(classes)}
    template["template_hash"] = content_hash([template, config.template_source()])
    tokenizer.save_pretrained(folder / "tokenizer")
    (folder / "template.json").write_text(json.dumps(template, indent=2), encoding="utf-8")
    return made


def _metadata(artifact: Artifact, made: render.Rendered, kind: Kind) -> dict[str, object]:
    lengths = [len(e.input_ids) for e in made.examples]
    shown = next((e for e in made.examples if e.split == "train"), None)
    decoded = "" if shown is None else shown.text
    if shown is not None and kind == "chat":
        decoded = render.mark_learnt(shown, _tokenizer(artifact))
    return {
        "rows": len(lengths),
        "tokens": sum(lengths),
        "longest": max(lengths, default=0),
        "truncated": len(made.truncated),
        "one_example": dg.MetadataValue.md(f"Learnt: between ⟦ and ⟧.\n```\n{decoded}\n```"),
        "token_histogram": picture(histogram(lengths, "Tokens a row", "tokens")),
        "preview": table_preview(
            [{"id": e.id, "split": e.split, "text": e.text} for e in made.examples]
        ),
    }


def _problems(artifact: Artifact, config: TemplatingConfig, kind: Kind) -> list[str]:
    from assets.records import TrainingExample

    examples = [TrainingExample.from_row(row) for row in artifact.rows()]
    truncated = {str(row["id"]) for row in artifact.rows("truncated")}
    if kind == "chat":
        found = preflight.chat_problems(examples, truncated, _tokenizer(artifact))
    else:
        found = preflight.text_problems(examples, len(artifact.json("template.json")["labels"]))
    limits = (len(examples), config.max_truncated_rate, config.max_length)
    return [
        *preflight.empty_splits(examples),
        *found,
        *preflight.truncation_problem(len(truncated), *limits),
    ]


def _tokenizer(artifact: Artifact):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(artifact.path / "tokenizer")
