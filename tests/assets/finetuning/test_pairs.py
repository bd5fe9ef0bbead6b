from assets.finetuning.pairs import page, refusal
from pipelines.environments import ROOT


def test_the_page_of_pairs_is_what_the_methods_say() -> None:
    written = (ROOT / "docs" / "pairs.md").read_text(encoding="utf-8")
    assert written == page() + "\n", "run python -m assets.finetuning.pairs > docs/pairs.md"


def test_a_pair_that_cannot_be_has_its_reason() -> None:
    assert refusal("sft", "lora") is None
    assert "head" in (refusal("sft", "head") or "")
