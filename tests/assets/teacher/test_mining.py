"""Nearest rows: all pairs against cells, keys, ceilings, and the order of the rows."""

import numpy as np
import pytest

from assets.teacher import mining
from assets.teacher.mining import Neighbour, Rows, nearest


def clustered(count: int) -> np.ndarray:
    random = np.random.default_rng(3)
    centres = random.standard_normal((count // 10, 32), dtype=np.float32)
    rows = centres[np.arange(count) % len(centres)]
    rows = rows + 0.6 * random.standard_normal((count, 32), dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


VECTORS = clustered(3000)
IDS = [f"{number:04}" for number in range(len(VECTORS))]
PLANE = np.array([[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 1]], np.float32)
KEYS = ["a", "b", "b", "c"]


def test_the_nearest_of_another_key_come_nearest_first() -> None:
    [found] = nearest(Rows(PLANE[:1], ["a"]), Rows(PLANE, KEYS), 3)
    assert found == [Neighbour(1, 0.8), Neighbour(2, 0.6), Neighbour(3, 0.0)]


def test_a_key_keeps_its_rows_apart_from_each_other() -> None:
    [found] = nearest(Rows(PLANE[1:2], ["b"]), Rows(PLANE, KEYS), 3)
    assert [neighbour.row for neighbour in found] == [0, 3]


def test_what_is_more_like_the_query_than_its_ceiling_is_passed_over() -> None:
    [found] = nearest(Rows(PLANE[:1], ["a"]), Rows(PLANE, KEYS), 1, [0.7])
    assert found == [Neighbour(2, 0.6)]


def test_nothing_below_the_ceiling_gives_no_neighbour() -> None:
    assert nearest(Rows(PLANE[:1], ["a"]), Rows(PLANE, KEYS), 1, [-0.5]) == [[]]
    assert nearest(Rows(PLANE[:0], []), Rows(PLANE, KEYS)) == []


def test_equally_near_rows_are_taken_in_their_order() -> None:
    twice = np.concatenate([PLANE, PLANE])
    [found] = nearest(Rows(PLANE[:1], ["a"]), Rows(twice, KEYS * 2), 2)
    assert [neighbour.row for neighbour in found] == [1, 5]


@pytest.fixture(scope="module")
def exact() -> list[list[Neighbour]]:
    return nearest(Rows(VECTORS, IDS), Rows(VECTORS, IDS), 2)


def test_small_blocks_find_the_same(exact, monkeypatch) -> None:
    monkeypatch.setattr(mining, "_BLOCK", 10_000)
    assert nearest(Rows(VECTORS, IDS), Rows(VECTORS, IDS), 2) == exact


def test_cells_find_nearly_all_of_it_and_the_same_every_time(exact, monkeypatch) -> None:
    monkeypatch.setattr(mining, "EXACT_UP_TO", 0)
    found = [nearest(Rows(VECTORS, IDS), Rows(VECTORS, IDS), 2) for _ in range(2)]
    assert found[0] == found[1]
    assert np.mean([a == b for a, b in zip(found[0], exact, strict=True)]) > 0.97


def test_cells_fill_up_where_their_candidates_are_not_allowed(monkeypatch) -> None:
    """A group larger than the candidates: only a look at everything finds another one's row."""
    groups = ["large" if number < 2500 else f"g{number}" for number in range(len(VECTORS))]
    every = Rows(VECTORS, groups)
    wanted = nearest(Rows(VECTORS[:50], groups[:50]), every)
    monkeypatch.setattr(mining, "EXACT_UP_TO", 0)
    monkeypatch.setattr(mining, "_WIDTHS", (4,))
    assert nearest(Rows(VECTORS[:50], groups[:50]), every) == wanted
