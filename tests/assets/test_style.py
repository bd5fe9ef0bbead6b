import pytest

from assets.style import distance, profile


@pytest.mark.parametrize(
    ("mark", "post"),
    [
        ("emoji", "Shipped it 🚀"),
        ("emoji", "Done ✅ at last"),
        ("link", "Read https://example.com/a"),
        ("link", "See www.example.com"),
        ("hashtag", "Nice #DataEngineering"),
        ("list", "Three:\n- one\n- two"),
        ("list", "1. one\n2) two"),
        ("question", "So.\nWhat is yours?\n"),
        ("em_dash", "Late — as ever"),
    ],
)
def test_a_mark_is_seen_alone(mark: str, post: str):
    rates = profile([post])
    assert rates.pop("words") > 0
    assert rates.pop(mark) == 1.0
    assert set(rates.values()) == {0.0}


def test_keycap_digits_are_emoji_and_a_list():
    rates = profile(["1️⃣ one\n2️⃣ two"])
    assert (rates["emoji"], rates["list"]) == (1.0, 1.0)


@pytest.mark.parametrize(
    "post",
    [
        "We fixed issue #12 today",
        "C# is a language",
        "One - two - three",
        "- a single dash line",
        "Why? Because.",
        "a → b, 100 % sure - really",
        "&#39; stays text",
    ],
)
def test_what_only_looks_like_a_mark_is_none(post: str):
    rates = profile([post])
    del rates["words"]
    assert set(rates.values()) == {0.0}


def test_rates_are_shares_and_words_a_median():
    rates = profile(["one two?", "three", "four five six 🚀", "#tag two three four"])
    assert (rates["words"], rates["question"], rates["hashtag"]) == (3.0, 0.25, 0.25)


def test_no_posts_have_no_profile():
    with pytest.raises(ValueError, match="no posts"):
        profile([])


def test_the_distance_to_oneself_is_zero_and_never_above_one():
    mine, other = profile(["a b c"]), profile(["— 🚀 #x https://a.b\n- a\n- b " + "w " * 50 + "?"])
    assert distance(mine, mine) == 0.0
    assert distance(other, mine) == pytest.approx(1.0)


def test_words_count_by_their_share_of_the_authors():
    rates = profile(["a b c d"])
    assert distance(rates | {"words": 3.0}, rates) == pytest.approx(0.25 / 7)
