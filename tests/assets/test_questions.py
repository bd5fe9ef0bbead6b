from assets.questions import Question, question_of


def test_a_manifest_says_what_its_model_is_asked():
    manifest = {"labels": None, "examples": "preference", "model_kind": "score"}
    assert question_of(manifest) == Question("preference", "score")


def test_manifests_of_the_first_versions_are_understood():
    assert question_of({"labels": None}) == Question("chat", "causal")
    assert question_of({"labels": ["a", "b"]}) == Question("text", "sequence", ("a", "b"))


def test_other_labels_are_another_question():
    assert question_of({"labels": ["a", "b"]}) != question_of({"labels": ["b", "a"]})
