"""Small sets of samples that pass every rule and expectation until a test spoils one."""

from dataclasses import replace

from assets.records import SPLITS, Sample, Split

_TOPICS = (
    "backfills", "lineage", "alerts", "partitions", "schemas", "sensors", "budgets", "retries",
    "catalogs", "contracts", "queues", "snapshots", "indexes", "migrations", "dashboards",
)  # fmt: skip


def sample(id: str, split: Split = "train", **fields: str) -> Sample:
    return Sample(id, f"d-{id}", f"g-{id}", split, fields, "offline")


def posts(count: int = 15) -> list[Sample]:
    """Return posts, three in five of them to train on."""
    return [
        sample(
            f"p{i:02}",
            _split(i),
            prompt=f"why {topic} matter",
            completion=f"A story about {topic} number {i}.\n\nLast spring our {topic} broke "
            f"{i + 2} times, and {topic} taught us patience.",
        )
        for i, topic in enumerate(_TOPICS[:count])
    ]


def mails(count: int = 15) -> list[Sample]:
    """Return mails of two labels in every split."""
    return [
        replace(
            post,
            fields={
                "subject": f"About {post.id}",
                "body": post.fields["completion"],
                "label": ("safe", "phishing")[i // 5 % 2],
            },
        )
        for i, post in enumerate(posts(count))
    ]


def titles(count: int = 15) -> list[Sample]:
    """Return preferences, each of an idea of its own."""
    return [
        replace(
            post,
            fields={
                "prompt": f"Write a title for: {topic}",
                "chosen": f"What {topic} taught us in {i + 2} hard weeks",
                "rejected": f"Everything about {topic}, part {i}",
            },
        )
        for i, (post, topic) in enumerate(zip(posts(count), _TOPICS, strict=False))
    ]


def queries(count: int = 15) -> list[Sample]:
    """Return queries, each with the post that answers it and one that does not."""
    texts = [post.fields["completion"] for post in posts(count)]
    return [
        replace(
            post,
            fields={
                "anchor": f"how did {topic} break",
                "positive": texts[i],
                "negative": texts[i - 5],  # of the same split
            },
        )
        for i, (post, topic) in enumerate(zip(posts(count), _TOPICS, strict=False))
    ]


def texts(count: int = 15) -> list[Sample]:
    """Return texts that are learnt as they stand."""
    return [replace(post, fields={"text": post.fields["completion"]}) for post in posts(count)]


def _split(number: int) -> Split:
    return SPLITS[max(0, number % 5 - 2)]
