"""Whether a model that writes masked texts masks what it should, and changes nothing else.

A row's score: `{"id": "5f0c…", "completion": "[NAME]: ring [PHONE].", "hidden": 6, "leaked": 1,
"plain": 14, "kept": 14}`, counts of words. Hidden are the words of the prompt that the reference
has masked.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import cast

from pydantic import Field

from assets.charts import BLUE, GREY, ORANGE, blank, png
from assets.discovery import Options as PluginOptions
from assets.evaluation.arms import Arm, Scores
from assets.evaluation.generation import Decoding, generate, stop_ids
from assets.evaluation.protocol import Direction, Shown
from assets.evaluation.test_set import (
    IGNORED,
    TestSet,
    completion_ids,
    first_foreseen,
    shown_prompts,
)
from assets.personal_data.detect import values
from assets.records import Row, TrainingExample

EXAMPLES = ("chat",)
MODELS = ("causal",)
DEFAULT = False  # of use where the completions are the prompts with marks
HEADLINE = GATE = "masking_f1"
METRICS: dict[str, Direction] = {
    "masking_leak_rate": "lower",  # share of the words to hide that still stand in the text
    "masking_kept": "higher",  # share of the other words that still do
    "masking_f1": "higher",  # of hiding and keeping: their harmonic mean
}
Test = TestSet[TrainingExample]
_MARK = re.compile(r"\[[A-Z_]+\]")
_PICTURED = {"base": ORANGE, "baseline": GREY, "tuned": BLUE}


class Options(PluginOptions):
    """Keys that this benchmark adds to `evaluation:`."""

    masking_prompts: int = Field(24, ge=1)  # test prompts to mask; more is steadier and slower
    masking_batch_size: int = Field(8, ge=1)  # texts written at once


def run(arm: Arm, test: Test, options: Options, seed: int) -> Scores:
    """Return how one model masks, always by the most likely token."""
    rows = test.rows[: options.masking_prompts]
    sequences = [arm.sequence(test, row) for row in rows]
    prompts = [ids[: first_foreseen("", labels)] for ids, labels in sequences]
    trained = [[label for label in labels if label != IGNORED] for _, labels in sequences]
    how = Decoding(max(map(len, trained)) + 16, temperature=0, top_p=1, seed=seed)
    routes, stop = [row.route for row in rows], stop_ids(arm, trained)
    texts = generate(arm, prompts, routes, stop, how, options.masking_batch_size)
    return _scores(test, texts)


def references(test: Test, options: Options) -> dict[str, Scores]:
    """Return what the rules for addresses and numbers mask, which know no names."""
    prompts = shown_prompts(test)[: options.masking_prompts]
    return {"baseline": _scores(test, [_by_rule(prompt) for prompt in prompts])}


def headline(rows: Sequence[Row]) -> float:
    """Return the harmonic mean of what is hidden and what is kept; nan with nothing to hide."""
    hidden, leaked, plain, kept = (sum(cast(int, row[k]) for row in rows) for k in _COUNTS)
    if not hidden or not plain:
        return float("nan")
    hides, keeps = 1 - leaked / hidden, kept / plain
    return 2 * hides * keeps / (hides + keeps) if hides + keeps else 0.0


def describe(options: Options) -> str:
    """Return how it was measured, for the report."""
    return (
        f"masking: the first {options.masking_prompts} test prompts, greedy; words that the "
        "reference masks are to be hidden, all others to be kept. The baseline is the rules for "
        "addresses of mail, telephone, card and account numbers."
    )


def pictures(test: Test, scores: Mapping[str, Scores]) -> dict[str, bytes]:
    """Return what each arm leaks and keeps."""
    figure, axes = blank("Masking", "", "share of words")
    for offset, (arm, color) in enumerate(_PICTURED.items()):
        shares = [scores[arm].metrics[name] for name in ("masking_leak_rate", "masking_kept")]
        axes.bar([n + 0.27 * (offset - 1) for n in (0, 1)], shares, 0.25, label=arm, color=color)
    axes.set_xticks([0, 1], ["leaked", "kept"])
    axes.legend(frameon=False, fontsize=7)
    return {"masking": png(figure)}


def shown(test: Test, scores: Mapping[str, Scores], count: int) -> list[Shown]:
    """Return the prompts of which the tuned model leaks most."""
    tuned, prompts = scores["tuned"].rows, shown_prompts(test)
    worst = sorted(range(len(tuned)), key=lambda i: (-cast(int, tuned[i]["leaked"]), i))[:count]
    return [
        {"prompt": prompts[index], "reference": test.decode(completion_ids(test.rows[index]))}
        | {arm: str(scores[arm].rows[index]["completion"]) for arm in _PICTURED}
        for index in worst
    ]


_COUNTS = ("hidden", "leaked", "plain", "kept")


def _scores(test: Test, texts: list[str]) -> Scores:
    prompts = shown_prompts(test)
    rows = [
        _row(row.id, prompt, test.decode(completion_ids(row)), text)
        for row, prompt, text in zip(test.rows, prompts, texts, strict=False)
    ]
    hidden, leaked, plain, kept = (sum(cast(int, row[k]) for row in rows) for k in _COUNTS)
    if not hidden or not plain:
        raise ValueError(
            f"of {len(rows)} test rows {hidden} words are masked and {plain} are not: the "
            "benchmark masking is for completions that are their prompts with marks like [NAME]"
        )
    metrics = {"masking_leak_rate": leaked / hidden, "masking_kept": kept / plain}
    return Scores(metrics | {"masking_f1": headline(rows)}, rows)


def _row(row_id: str, prompt: str, reference: str, text: str) -> Row:
    """Count the words; one that the reference hides here and shows there is plain."""
    asked, shows, wrote = (Counter(_words(each)) for each in (prompt, reference, text))
    hidden = {word: count for word, count in asked.items() if word not in shows}
    plain = {word: min(count, shows[word]) for word, count in asked.items() if word in shows}
    return {
        "id": row_id,
        "completion": text,
        "hidden": sum(hidden.values()),
        "leaked": sum(min(count, wrote[word]) for word, count in hidden.items()),
        "plain": sum(plain.values()),
        "kept": sum(min(count, wrote[word]) for word, count in plain.items()),
    }


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", _MARK.sub(" ", text))


def _by_rule(prompt: str) -> str:
    for value, kind in values(prompt, ("email", "phone", "card", "iban")):
        prompt = prompt.replace(value, f"[{kind.upper()}]")
    return prompt
