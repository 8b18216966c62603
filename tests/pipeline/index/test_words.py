import json
import pickle

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.index.words import WordIndex, tokens

TEXTS = [
    "red cotton shirt",
    "red shirt",
    "blue shirt, model AB-1234",
    "blue trousers, model AB-1235",
    "",
    "\u2026!",
]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Nike Men's T-Shirts", ["nike", "men", "s", "t", "shirt"]),
        ("AB-1234/x_9", ["ab", "1234", "x", "9"]),
        ("Chlo\u00e9 Stra\u00dfe \ufb01ne", ["chloe", "strasse", "fine"]),
        ("Chloe\u0301", ["chloe"]),
        ("платье КРАСНОЕ", ["платье", "красное"]),  # noqa: RUF001
        ("हिन्दी शब्द", ["हिन्दी", "शब्द"]),
        ("黒猫cat", ["黒", "猫", "cat"]),
        ("dresses boxes accessories ties bus", ["dress", "box", "accessory", "tie", "bus"]),
        (" ... ", []),
    ],
)  # fmt: skip
def test_words_are_runs_of_letters_of_any_script(text, words):
    assert tokens(text) == words


def by_hand(texts, query, k1=1.5, b=0.75):
    """BM25 as Lucene has it, by the book."""
    words_N = [tokens(text) for text in texts]
    mean = sum(map(len, words_N)) / len(texts)

    def part(word, words):
        holders = sum(word in other for other in words_N)
        inverse = np.log(1 + (len(texts) - holders + 0.5) / (holders + 0.5))
        often = words.count(word)
        return inverse * often / (often + k1 * (1 - b + b * len(words) / mean))

    vocabulary = {word for words in words_N for word in words}
    best = {word: max(part(word, words) for words in words_N) for word in vocabulary}
    most = sum(best.get(word, max(best.values())) for word in query)
    return [sum(part(word, words) for word in query) / most for words in words_N]


@pytest.mark.parametrize("query", [["red"], ["red", "shirt"], ["blue", "ab", "1234"], ["red", "?"]])
def test_scores_are_bm25_by_the_book_as_a_share_of_the_most(query):
    score_N = WordIndex.build(TEXTS).scores(" ".join(query).replace("?", "unheard"))
    assert score_N == pytest.approx(by_hand(TEXTS, query), abs=1e-6)
    assert 0 <= score_N.min() <= score_N.max() <= 1


def test_rare_words_and_short_texts_come_first():
    words = WordIndex.build(TEXTS)
    assert np.argsort(-words.scores("shirt AB 1234"), kind="stable")[0] == 2
    score_N = words.scores("red")
    assert score_N[1] > score_N[0] > 0
    assert not score_N[2:].any()
    # Said twice is said once.
    assert (words.scores("red RED reds") == score_N).all()


def test_a_query_without_a_known_word_has_no_scores():
    words = WordIndex.build(TEXTS)
    for query in ("unheard of", "", "!"):
        assert words.scores(query) is None
    assert WordIndex.build(["", "!"]).scores("red") is None


@pytest.mark.parametrize("texts", [TEXTS, ["", "!"], ["one"]])
def test_what_was_saved_scores_the_same_and_is_the_same_bytes(tmp_path, texts):
    words = WordIndex.build(texts)
    words.save(tmp_path / "a")
    WordIndex.build(texts).save(tmp_path / "b")
    found = WordIndex.load(tmp_path / "a")
    assert (len(found), found.size, found.digest) == (len(texts), words.size, words.digest)
    for query in ("red shirt", "one"):
        assert np.array_equal(found.scores(query), words.scores(query))
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    assert WordIndex.build([*texts[1:], "other"]).digest != words.digest


def test_damaged_words_are_refused_and_nothing_is_unpickled(tmp_path):
    WordIndex.build(TEXTS).save(tmp_path)
    data = next(tmp_path.glob("data*.npy"))
    whole = data.read_bytes()
    np.save(data, np.array([print], dtype=object), allow_pickle=True)
    assert pickle.dumps(print)[:2] in data.read_bytes()
    for content in (data.read_bytes(), b"", whole[:-8]):
        data.write_bytes(content)
        with pytest.raises(InputError, match=r"damaged .*; run huse index"):
            WordIndex.load(tmp_path)
    data.write_bytes(whole)
    vocabulary = tmp_path / "vocab.index.json"
    numbers = json.loads(vocabulary.read_text(encoding="utf-8"))
    numbers.popitem()
    vocabulary.write_text(json.dumps(numbers), encoding="utf-8")
    with pytest.raises(InputError, match="arrays of different lengths"):
        WordIndex.load(tmp_path)
    vocabulary.unlink()
    with pytest.raises(InputError, match="damaged"):
        WordIndex.load(tmp_path)
