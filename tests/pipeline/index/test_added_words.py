import pytest

from pipeline.index.added_words import AddedWords, inverse_frequency
from pipeline.index.words import WordIndex, tokens

OLD = [f"red shirt number {n}" for n in range(60)] + [f"blue dress item{n % 7}" for n in range(60)]
NEW = ["red dress zebra zebra", "item3 shirt blue", "", "red shirt number 3"]


@pytest.mark.parametrize("query", ["red shirt", "zebra", "blue item3 unheard", "number 3", "dress"])
def test_texts_that_came_after_score_as_in_an_index_of_all(query):
    both = WordIndex.build(OLD).with_added(NEW)
    assert len(both) == len(OLD) + len(NEW)
    score_N, whole_N = both.scores(query), WordIndex.build(OLD + NEW).scores(query)
    # Rarity and mean length are those of the indexed texts.
    assert score_N == pytest.approx(whole_N, abs=0.05)
    assert score_N.min() == 0
    assert score_N.max() <= 1


def test_a_text_scores_the_same_wherever_it_is():
    both = WordIndex.build(OLD).with_added(NEW)
    score_N = both.scores("red shirt number")
    assert score_N[3] == pytest.approx(score_N[len(OLD) + 3], abs=1e-6)
    assert both.scores("unheard of") is None
    assert both.scores("zebra").argmax() == len(OLD)


def test_words_that_only_later_texts_have_are_found_behind_an_index_without_words():
    both = WordIndex.build(["", "!"]).with_added(["one zebra", "two"])
    assert both.scores("zebra")[2] == 1
    assert WordIndex.build(OLD).with_added([]).scores("red").tolist() == pytest.approx(
        WordIndex.build(OLD).scores("red").tolist()
    )


def test_the_index_itself_is_as_it_was(tmp_path):
    index = WordIndex.build(OLD)
    before = index.scores("red shirt")
    index.with_added(NEW).save(tmp_path / "words")
    assert (index.scores("red shirt") == before).all()
    loaded = WordIndex.load(tmp_path / "words")
    assert len(loaded) == len(OLD)
    again = loaded.with_added(NEW).scores("zebra shirt")
    assert again == pytest.approx(index.with_added(NEW).scores("zebra shirt"))


def test_scores_are_by_the_book():
    added = AddedWords([tokens(text) for text in NEW], {"red": 60}.get, 120, 3.0)  # type: ignore[arg-type]
    often, length = 2, 4
    wanted = inverse_frequency(1, 124) * often / (often + 1.5 * (0.25 + 0.75 * length / 3))
    assert added.best("zebra") == pytest.approx(wanted)
    assert added.best("nothing") == 0
    assert added.sums(["zebra", "nothing"]) == pytest.approx([wanted, 0, 0, 0])
