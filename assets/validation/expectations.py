"""The suite that a pipeline gets without asking: what must hold for its samples as a whole."""

from collections.abc import Sequence

from assets.records import SPLITS, Sample
from assets.validation.config import Expectation, ValidationConfig
from assets.validation.reading import Kind, kind_of

MAX_CHARACTERS = 200_000
_FILLED: dict[Kind, tuple[str, ...]] = {
    "pair": ("prompt", "completion"),
    "labelled": ("body",),
    "preference": ("prompt", "chosen", "rejected"),
    "retrieval": ("anchor", "positive"),
    "plain": ("text",),
}
_DIFFERENT: dict[Kind | None, tuple[str, str]] = {
    "preference": ("chosen", "rejected"),
    "retrieval": ("anchor", "positive"),
}


def suite(samples: Sequence[Sample], config: ValidationConfig) -> list[Expectation]:
    """Return the built-in expectations of the samples' kind, then the pipeline's own."""
    kind = kind_of(samples)
    built_in = _every_set(config.min_rows)
    for column in _FILLED[kind] if kind else ():
        built_in += _filled(column)
    if kind == "labelled":
        built_in += _labels(config.labels)
    if kind in _DIFFERENT:
        built_in.append(_different(*_DIFFERENT[kind]))
    there = set[str]().union(*(sample.fields for sample in samples))
    built_in += [_json(column) for column in ("history", "tools") if column in there]
    return [*built_in, *config.expectations]


def _every_set(min_rows: int) -> list[Expectation]:
    return [
        _expect(
            "table_row_count_to_be_between", f"at least {min_rows} samples", min_value=min_rows
        ),
        _expect("column_values_to_be_unique", "every id is there once", column="id"),
        _expect("column_values_to_not_be_null", "every sample has its group", column="group_id"),
        _expect(
            "column_values_to_be_in_set",
            "every split is train, eval or test",
            column="split",
            value_set=list(SPLITS),
        ),
        _expect(
            "column_distinct_values_to_contain_set",
            "train and test both hold samples",
            column="split",
            value_set=["test", "train"],
        ),
    ]


def _filled(column: str) -> list[Expectation]:
    return [
        _expect("column_values_to_not_be_null", f"every sample has its {column}", column=column),
        _expect(
            "column_value_lengths_to_be_between",
            f"every {column} has 1 to {MAX_CHARACTERS:,} characters",
            column=column,
            min_value=1,
            max_value=MAX_CHARACTERS,
        ),
    ]


def _different(one: str, other: str) -> Expectation:
    return _expect(
        "select_column_values_to_be_unique_within_record",
        f"{one} and {other} differ",
        column_list=[one, other],
    )


def _json(column: str) -> Expectation:
    """Return what holds for a field that only some samples have."""
    says = f"every {column} is JSON"
    return _expect("column_values_to_be_json_parseable", says, column=column)


def _labels(allowed: tuple[str, ...] | None) -> list[Expectation]:
    """Return what holds for labels; `eval` may be too small to hold every class."""
    label = {"column": "label"}
    found = [_expect("column_values_to_not_be_null", "every sample has its label", **label)]
    if allowed:
        found.append(
            _expect(
                "column_values_to_be_in_set",
                f"every label is one of {', '.join(allowed)}",
                **label,
                value_set=list(allowed),
            )
        )
    return found + [
        _expect(
            "column_unique_value_count_to_be_between",
            f"{split} holds two classes or more: with one there is nothing to tell apart",
            **label,
            min_value=2,
            row_condition=_rows_of(split),
        )
        for split in ("train", "test")
    ]


def _rows_of(split: str) -> dict[str, object]:
    """Return `Column("split") == split` as Great Expectations writes it down."""
    column = {"name": "split"}
    return {"type": "comparison", "column": column, "operator": "==", "parameter": split}


def _expect(type: str, description: str, **kwargs: object) -> Expectation:
    return Expectation(type=f"expect_{type}", description=description, kwargs=kwargs)
