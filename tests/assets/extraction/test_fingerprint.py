import os
from pathlib import Path

import pytest

from assets.extraction.fingerprint import fingerprint


def test_a_touched_file_is_the_same_and_a_changed_one_is_not(tmp_path: Path) -> None:
    file = tmp_path / "Shares.csv"
    file.write_text("a,b\n")
    first = fingerprint(file)
    os.utime(file, (1, 1))
    touched = fingerprint(file)
    assert (touched.version, touched.changed) == (first.version, 1.0)
    file.write_text("a,c\n")
    assert fingerprint(file).version != first.version


def test_a_folder_counts_its_files_and_ignores_clutter(tmp_path: Path) -> None:
    (tmp_path / "cur").mkdir()
    (tmp_path / "cur" / "1").write_bytes(b"123")
    (tmp_path / "2.eml").write_bytes(b"4567")
    before = fingerprint(tmp_path)
    (tmp_path / ".DS_Store").write_bytes(b"x")
    assert (before.files, before.bytes) == (2, 7)
    assert fingerprint(tmp_path) == before


def test_a_missing_export_says_where_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing at .*none\.csv: put the export there"):
        fingerprint(tmp_path / "none.csv")
