from assets.similarity.words import some_words, word_pairs, words


def test_case_and_marks_are_no_part_of_a_word_and_a_link_gives_its_parts() -> None:
    assert words("Don't: See https://a.example/x_1!") == [
        *("don", "t", "see", "https", "a", "example", "x_1"),
    ]


def test_scripts_without_spaces_give_a_word_a_character() -> None:
    assert words("\u4eca\u65e5 now") == ["\u4eca", "\u65e5", "now"]


def test_a_text_without_words_counts_as_one() -> None:
    assert (words(" 🎉 "), some_words(" 🎉 ")) == ([], ["🎉"])
    assert (word_pairs("🎉"), word_pairs("one")) == ({"🎉"}, {"one"})


def test_pairs_are_of_neighbours() -> None:
    assert word_pairs("a b a b") == {"a b", "b a"}
