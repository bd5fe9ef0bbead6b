"""How well a model finds what stands in a text (names, numbers, addresses), by whole entities.

A row's score, with counts beside: `{"id": "5f0c…", "wanted": [{"start": 5, "end": 19, "label":
"NAME"}], "found": [{"start": 5, "end": 10, "label": "NAME"}]}`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import cast

from pydantic import Field

from assets.charts import BLUE, GREY, ORANGE, blank, png
from assets.discovery import Options as PluginOptions
from assets.evaluation.arms import Arm, Scores
from assets.evaluation.protocol import Direction, Shown
from assets.evaluation.test_set import IGNORED, TestSet
from assets.evaluation.word_labels import most_frequent_labels
from assets.loading.entities import Span, encode, masked, spans_of
from assets.records import Row, TrainingExample

EXAMPLES = ("tokens",)
MODELS = ("tokens",)
DEFAULT = True
HEADLINE = GATE = "entity_f1"
METRICS: dict[str, Direction] = {
    "entity_precision": "higher",  # an entity is right where start, end and label are
    "entity_recall": "higher",
    "entity_f1": "higher",
    "leak_rate": "lower",  # share of entities of which a character stays unmarked, by any label
}
Test = TestSet[TrainingExample]
_PICTURED = {"base": ORANGE, "baseline": GREY, "tuned": BLUE}


class Options(PluginOptions):
    """Keys that this benchmark adds to `evaluation:`."""

    token_batch_size: int = Field(8, ge=1)  # texts at once, sorted by length


def run(arm: Arm, test: Test, options: Options, seed: int) -> Scores:
    """Return the figures of one model over the test split."""
    from assets.evaluation.inference import logits

    encoded = [encode(row.text, arm.tokenizer, test.max_length) for row in test.rows]
    inputs = [{"input_ids": ids} for ids, _ in encoded]
    made = logits(arm, inputs, options.token_batch_size)
    labels = test.classes()
    found = [
        spans_of(row.text, offsets, [labels[i] for i in table.argmax(-1).tolist()])
        for row, table, (_, offsets) in zip(test.rows, made, encoded, strict=True)
    ]
    return _scores(test, found)


def references(test: Test, options: Options) -> dict[str, Scores]:
    """Return what the most frequent label of each word reaches, learnt from the train split."""
    learnt = [(row.text, _wanted(test, row)) for row in test.train]
    return {"baseline": _scores(test, most_frequent_labels(learnt, [r.text for r in test.rows]))}


def headline(rows: Sequence[Row]) -> float:
    """Return F1 over the entities of these rows; nan where there are none."""
    wanted, found, right = (sum(cast(int, row[k]) for row in rows) for k in _COUNTS)
    return 2 * right / (wanted + found) if wanted + found else float("nan")


def describe(options: Options) -> str:
    """Return how it was measured, for the report."""
    return (
        "token_labels: the most likely label of each token, read as BIO spans and compared with "
        "those of the test split. The base model has a new, untrained head. The baseline gives a "
        "word its most frequent label in the train split, an unseen word that of its shape."
    )


def pictures(test: Test, scores: Mapping[str, Scores]) -> dict[str, bytes]:
    """Return the share of each label's entities that is found."""
    figure, axes = blank("Found of each kind", "", "share")
    labels = sorted({label for row in scores["tuned"].rows for *_, label in _places(row, "wanted")})
    for offset, (arm, color) in enumerate(_PICTURED.items()):
        places = [index + 0.27 * (offset - 1) for index in range(len(labels))]
        shares = _recall_by_label(scores[arm].rows)
        axes.bar(places, [shares[label] for label in labels], 0.25, label=arm, color=color)
    axes.set_xticks(range(len(labels)), labels, fontsize=7)
    axes.set_ylim(0, 1)
    axes.legend(frameon=False, fontsize=7)
    return {"found_by_label": png(figure)}


def shown(test: Test, scores: Mapping[str, Scores], count: int) -> list[Shown]:
    """Return the texts that the tuned model marks worst, then some that it marks right."""
    tuned = scores["tuned"].rows
    wrong = [i for i, row in enumerate(tuned) if row["wanted"] != row["found"]]
    wrong.sort(key=lambda i: (-_leaks(tuned[i]), i))
    right = [i for i in range(len(tuned)) if i not in wrong and tuned[i]["wanted"]]
    chosen = wrong[: max(1, count // 2)]
    return [_shown(test, scores, i) for i in (*chosen, *right[: count - len(chosen)])]


_COUNTS = ("wanted_count", "found_count", "right_count")


def _wanted(test: Test, row: TrainingExample) -> list[Span]:
    ids, offsets = encode(row.text, test.tokenizer, test.max_length)
    if ids != row.input_ids:
        raise ValueError(
            f"test row {row.id} has other tokens than its tokenizer makes of its text: "
            "materialize training_examples again"
        )
    labels = test.classes()
    tags = [None if label == IGNORED else labels[label] for label in row.labels]
    return spans_of(row.text, offsets, tags)


def _scores(test: Test, found: list[list[Span]]) -> Scores:
    rows = [
        _row(row.id, _wanted(test, row), made) for row, made in zip(test.rows, found, strict=True)
    ]
    wanted, marked, right = (sum(cast(int, row[k]) for row in rows) for k in _COUNTS)
    if not wanted:
        raise ValueError(
            f"the {len(rows)} rows of the test split hold no labelled token: "
            "raise extraction.split.test, or add rows that do"
        )
    metrics = {
        "entity_precision": right / marked if marked else 0.0,
        "entity_recall": right / wanted,
        "entity_f1": headline(rows),
        "leak_rate": sum(map(_leaks, rows)) / wanted,
    }
    return Scores(metrics, rows)


def _row(row_id: str, wanted: list[Span], found: list[Span]) -> Row:
    row: Row = {"id": row_id, "wanted": wanted, "found": found}
    right = _places(row, "wanted") & _places(row, "found")
    return row | dict(zip(_COUNTS, map(len, (wanted, found, right)), strict=True))


def _places(row: Row, key: str) -> set[tuple[int, int, str]]:
    return {(span["start"], span["end"], span["label"]) for span in cast(list[Span], row[key])}


def _leaks(row: Row) -> int:
    """Return how many wanted entities have a character that no found span covers."""
    covered = {place for start, end, _ in _places(row, "found") for place in range(start, end)}
    return sum(not covered.issuperset(range(s, e)) for s, e, _ in _places(row, "wanted"))


def _recall_by_label(rows: Sequence[Row]) -> dict[str, float]:
    wanted = Counter(label for row in rows for *_, label in _places(row, "wanted"))
    right = Counter(
        label for row in rows for *_, label in _places(row, "wanted") & _places(row, "found")
    )
    return {label: right[label] / count for label, count in wanted.items()}


def _shown(test: Test, scores: Mapping[str, Scores], index: int) -> Shown:
    text, rows = test.rows[index].text, {arm: scores[arm].rows[index] for arm in _PICTURED}
    return {
        "prompt": text,
        "reference": masked(text, cast(list[Span], rows["tuned"]["wanted"])),
        **{arm: masked(text, cast(list[Span], row["found"])) for arm, row in rows.items()},
    }
