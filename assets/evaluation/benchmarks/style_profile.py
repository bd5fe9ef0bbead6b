"""Whether generated posts look like the author's: rates of words, emoji, links, lists and so on.

A row's score: `{"id": "5f0c…", "completion": "Backfills are where pipelines go to be honest. …"}`.
"""

import math
from collections.abc import Mapping, Sequence

from pydantic import Field

from assets.charts import BLUE, GREY, ORANGE, blank, png
from assets.discovery import Options as PluginOptions
from assets.evaluation.arms import Arm, Scores
from assets.evaluation.generation import Decoding, generate, stop_ids
from assets.evaluation.protocol import Direction, Shown
from assets.evaluation.test_set import IGNORED, TestSet, completion_ids, shown_prompts
from assets.records import Row
from assets.style import distance, profile

EXAMPLES = ("chat",)
MODELS = ("causal",)
DEFAULT = True
HEADLINE = GATE = None
METRICS: dict[str, Direction] = {
    "style_distance": "lower",  # mean absolute difference from the author's rates, in [0, 1]
    "style_words": "neutral",  # median
    "style_emoji": "neutral",  # the rest: share of posts that have it
    "style_link": "neutral",
    "style_hashtag": "neutral",
    "style_list": "neutral",
    "style_question": "neutral",  # the last line is one
    "style_em_dash": "neutral",
}


class Options(PluginOptions):
    """Keys that this benchmark adds to `evaluation:`."""

    style_prompts: int = Field(24, ge=1)  # test prompts to write posts for; more is steadier
    max_new_tokens: int = Field(160, ge=1)  # a post is cut there, the author's as well
    temperature: float = Field(0.8, ge=0)  # 0: always the most likely token, which repeats itself
    top_p: float = Field(0.95, gt=0, le=1)
    generation_batch_size: int = Field(24, ge=1)  # posts written at once


def run(arm: Arm, test: TestSet, options: Options, seed: int) -> Scores:
    """Return the profile of the posts that the arm writes, and its distance from the author's."""
    rows = test.rows[: options.style_prompts]
    sequences = [arm.sequence(test, row) for row in rows]
    starts = [_first_trained(labels) for _, labels in sequences]
    prompts = [ids[:start] for (ids, _), start in zip(sequences, starts, strict=True)]
    trained = [[i for i in labels if i != IGNORED] for _, labels in sequences]
    how = Decoding(options.max_new_tokens, options.temperature, options.top_p, seed)
    routes, stop = [row.route for row in rows], stop_ids(arm, trained)
    posts = generate(arm, prompts, routes, stop, how, options.generation_batch_size)
    return _scores(posts, _authors_posts(test, options), test)


def references(test: TestSet, options: Options) -> dict[str, Scores]:
    """Return the author's own posts for the same prompts, cut at the same length."""
    posts = _authors_posts(test, options)
    return {"author": _scores(posts, posts, test)}


def headline(rows: Sequence[Row]) -> float:
    """Return nan: a few posts cannot carry a verdict."""
    return math.nan


def describe(options: Options) -> str:
    """Return how the posts were written, for the report."""
    drawn = f"sampled at temperature {options.temperature:g}, top_p {options.top_p:g}"
    return (
        f"style_profile: one post for each of the first {options.style_prompts} test prompts, "
        f"{drawn if options.temperature else 'greedy'}, at most {options.max_new_tokens} new "
        "tokens, from one seed, the same for every arm; the author's posts are cut at that length."
    )


def pictures(test: TestSet, scores: Mapping[str, Scores]) -> dict[str, bytes]:
    """Return the rates of author, base and tuned beside each other."""
    return {"style": bars(scores)}


def bars(scores: Mapping[str, Scores]) -> bytes:
    """Return the picture of the arms' rates."""
    rates = [name for name in METRICS if name not in ("style_distance", "style_words")]
    figure, axes = blank("Style: share of posts with …", "", "share")
    arms = {"author": GREY, "base": ORANGE, "tuned": BLUE}
    for offset, (arm, color) in enumerate(arms.items()):
        places = [index + 0.27 * (offset - 1) for index in range(len(rates))]
        axes.bar(places, [scores[arm].metrics[r] for r in rates], 0.25, label=arm, color=color)
    axes.set_xticks(range(len(rates)), [rate.removeprefix("style_") for rate in rates])
    axes.set_ylim(0, 1)
    axes.legend(frameon=False, fontsize=7)
    return png(figure)


def shown(test: TestSet, scores: Mapping[str, Scores], count: int) -> list[Shown]:
    """Return the first prompts with the author's post and what base and tuned made of them."""
    prompts = shown_prompts(test)
    arms = {"reference": "author", "base": "base", "tuned": "tuned"}
    return [
        {"prompt": prompts[index]}
        | {name: str(scores[arm].rows[index]["completion"]) for name, arm in arms.items()}
        for index in range(min(count, len(scores["author"].rows)))
    ]


def _first_trained(labels: list[int]) -> int:
    return next(position for position, label in enumerate(labels) if label != IGNORED)


def _authors_posts(test: TestSet, options: Options) -> list[str]:
    rows = test.rows[: options.style_prompts]
    return [test.decode(completion_ids(row)[: options.max_new_tokens]).strip() for row in rows]


def _scores(posts: list[str], authors: list[str], test: TestSet) -> Scores:
    rates = profile(posts)
    metrics = {"style_distance": distance(rates, profile(authors))}
    metrics |= {f"style_{name}": value for name, value in rates.items()}
    rows = zip(test.rows, posts, strict=False)
    return Scores(metrics, [{"id": row.id, "completion": post} for row, post in rows])
