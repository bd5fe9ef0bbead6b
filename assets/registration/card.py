"""The model card: what a person reads before using a registered model."""

from collections.abc import Mapping
from typing import Any

from assets.questions import question_of
from assets.registration.purpose import purpose_of
from assets.registration.record import Facts


def short_card(facts: Facts) -> str:
    """Return the two lines that stand beside a version in the registry."""
    model = facts.model
    rows = sum(facts.rows.values())
    return (
        f"{model['objective']}, {model['method']} on {_base(model)}, {rows} rows. "
        f"{facts.decision.reason}."
    )


def model_card(facts: Facts) -> str:
    """Return the card in Markdown."""
    model, purpose = facts.model, purpose_of(question_of(facts.model))
    parts = [
        f"# {facts.pipeline}",
        f"It {purpose.task}. Tuned by `{model['method']}` from `{_base(model)}`: {_size(model)}.",
        "## Decision",
        f"{facts.decision.reason}.",
        "## Scores on the frozen test split",
        _scores(facts.evaluation),
        "## Data",
        _table(("split", "rows"), facts.rows.items()),
        _table(("asset", "version"), facts.data_versions.items()),
        "## Training",
        _table(("setting", "value"), [*sorted(model["settings"].items()), ("seed", model["seed"])]),
        "## Limits",
        f"{purpose.limits} {facts.evaluation['verdict']}".strip(),
        "## Use",
        _use(facts.pipeline, purpose.example),
    ]
    return "\n\n".join(parts) + "\n"


def _size(model: Mapping[str, Any]) -> str:
    if "hosted_model" in model:
        return f"`{model['hosted_model']}`, job {model['job_id']}, ${model['cost_usd']:.2f}"
    parameters = model["parameters"]
    return f"{parameters['trainable']:,} of {parameters['total']:,} parameters"


def _base(model: Mapping[str, Any]) -> str:
    base = model["base_model"]
    return f"{base['name']}@{base['revision']}" if base["kind"] == "hub" else base["name"]


def _scores(evaluation: Mapping[str, Any]) -> str:
    models = [m for m in ("base", "baseline", "champion", "tuned") if m in evaluation["metrics"]]
    metrics = sorted(set().union(*(evaluation["metrics"][m] for m in models)))
    lower = set(evaluation["lower_is_better"])
    rows = [
        (
            f"{metric} (lower is better)" if metric in lower else metric,
            *(_score(evaluation["metrics"][m].get(metric)) for m in models),
        )
        for metric in metrics
    ]
    return _table(("metric", *models), rows)


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _table(header: tuple[str, ...], rows: Any) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(c) for c in line) + " |" for line in lines)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def _use(pipeline: str, example: str) -> str:
    uri = f"models:/{pipeline}@champion"
    return (
        "With `MLFLOW_TRACKING_URI` set to the registry:\n\n"
        f"```python\nmlflow.pyfunc.load_model({uri!r}).predict({example})\n```\n\n"
        f"```sh\nmlflow models serve -m {uri} --env-manager local --port 5001\n```"
    )
