import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assets.extraction.config import ExtractionConfig
from assets.extraction.domains import domain_of
from assets.extraction.extract import extract
from assets.extraction.sources.table import Options, read
from assets.extraction.transcript import read_turns
from assets.records import RawRow, UnreadableRow
from tests.assets.extraction.junk import damaged

CELLS = [{"URL": "a.b.co.uk/x?y", "Label": "bad"}, {"URL": "http://10.0.0.1:99/", "Label": "good"}]
OPTIONS = Options(
    text="URL",
    label="Label",
    labels={"bad": "phishing", "good": "safe"},
    group="URL",
    group_by="domain",
)


def write(folder: Path, suffix: str, cells: list[dict[str, str]]) -> Path:
    file = folder / f"urls{suffix}"
    if suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(cells), file)
    elif suffix == ".jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in cells))
    else:
        comma = "\t" if suffix == ".tsv" else ","
        lines = [comma.join(row.values()) for row in [{k: k for k in cells[0]}, *cells]]
        file.write_text("\n".join(lines) + "\n")
    return file


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_every_format_gives_the_same_rows(tmp_path: Path, suffix: str) -> None:
    found = list(read(write(tmp_path, suffix, CELLS), OPTIONS))
    assert [(r.text, r.group, r.metadata) for r in found if isinstance(r, RawRow)] == [
        ("a.b.co.uk/x?y", "b.co.uk", {"label": "phishing"}),
        ("http://10.0.0.1:99/", "10.0.0.1", {"label": "safe"}),
    ]


def test_a_label_outside_the_mapping_is_kept_with_its_reason(tmp_path: Path) -> None:
    file = write(tmp_path, ".csv", [*CELLS, {"URL": "c.example", "Label": "ugly"}])
    last = list(read(file, OPTIONS))[-1]
    assert last == UnreadableRow(
        "urls.csv", 4, "label 'ugly' is not in labels; allowed: bad, good", "c.example"
    )


def test_broken_json_lines_are_kept_and_the_good_go_on(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    file.write_text('{"text": "a"}\n{"text": \n[1]\n{"body": "b"}\n{"text": ""}\n{"text": "c"}\n')
    found = list(read(file, Options()))
    reasons = [row.reason for row in found if isinstance(row, UnreadableRow)]
    assert [row.text for row in found if isinstance(row, RawRow)] == ["a", "c"]
    assert [r[:12] for r in reasons] == [
        "no JSON: Exp",
        "the line is ",
        "no key 'text",
        "column 'text",
    ]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_missing_column_lists_those_that_exist(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(ValueError, match=r"no column 'text'.*URL, Label"):
        list(read(write(tmp_path, suffix, CELLS), Options()))


@pytest.mark.parametrize(
    ("name", "says"), [("t.xlsx", "no table that can be"), ("t.parquet", "no whole")]
)
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / name).write_bytes(b"junk")
    with pytest.raises(ValueError, match=says):
        list(read(tmp_path / name, Options()))


CHAT = [
    {
        "id": "1",
        "customer": "Petra Novák",
        "agent": "",
        "chat": "Petra: Hi,\n it is late.\nBot: Oh.",
    }
]
CHATS = Options(text="chat", group="id", people=("customer", "agent"), turns=True)


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_a_chat_becomes_turns_and_its_columns_name_the_people(tmp_path: Path, suffix: str) -> None:
    (row,) = read(write(tmp_path, suffix, CHAT), CHATS)
    assert isinstance(row, RawRow)
    assert [(turn["speaker"], turn["text"]) for turn in row.turns] == [
        ("Petra", "Hi,\n it is late."),
        ("Bot", "Oh."),
    ]
    assert row.people == ("Petra Novák",)


@pytest.mark.parametrize(
    ("line", "speaker"),
    [
        ("Petra Novák: hi", "Petra Novák"),
        ("<name-3fa2c1>: hi", "<name-3fa2c1>"),
        ("Agent 7 : hi", "Agent 7"),
        ("see https://x.example", "A"),
        ("I have had one thought since then: no", "A"),
        ("at 10:30", "A"),
    ],
)
def test_a_speaker_is_some_words_before_a_colon(line: str, speaker: str) -> None:
    assert read_turns(f"A: words\n{line}")[-1]["speaker"] == speaker


def test_a_chat_that_begins_without_a_speaker_is_kept_with_the_reason(tmp_path: Path) -> None:
    (row,) = read(write(tmp_path, ".jsonl", [CHAT[0] | {"chat": "hello\nA: hi"}]), CHATS)
    reason = "the first line names no speaker: expected 'Speaker: words'"
    assert row == UnreadableRow("urls.jsonl", 1, reason, "hello A: hi")


def test_a_missing_column_of_people_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no column 'who'"):
        list(read(write(tmp_path, ".csv", CELLS), Options(text="URL", people=("who",))))


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_damaged_tables_are_read_or_refused_with_a_reason(tmp_path: Path, suffix: str) -> None:
    file = write(tmp_path, suffix, CELLS * 3)
    for content in damaged(file.read_bytes()):
        file.write_bytes(content)
        try:
            assert all(r.text for r in read(file, OPTIONS) if isinstance(r, RawRow))
        except ValueError as error:
            assert str(error)


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://user@Login.Bank.example:8443/a", "bank.example"),
        ("docedebebe.com.br/g/cp.php", "docedebebe.com.br"),
        ("localhost/x", "localhost"),
        ("", ""),
    ],
)
def test_the_domain_of_a_url(url: str, domain: str) -> None:
    assert domain_of(url) == domain


@pytest.mark.real_data
def test_the_real_urls_are_split_by_domain() -> None:
    root = Path(os.environ.get("TUNELINE_REAL_DATA", "../shared/data"))
    path = root / "phishing_urls/phishing_site_urls.csv"
    if not path.exists():
        pytest.skip(f"no real data at {path}: set TUNELINE_REAL_DATA")
    config = ExtractionConfig.model_validate(
        {"source": "table", "path": path, **OPTIONS.model_dump(exclude={"columns"})}
    )
    made = extract(config)
    sides: dict[str, set[str]] = {}
    for document in made.documents:
        sides.setdefault(domain_of(document.text), set()).add(document.split)
    assert len(made.documents) >= 990
    assert all(len(side) == 1 for side in sides.values())
