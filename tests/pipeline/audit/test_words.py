import pytest

from pipeline.audit.words import WORD


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Wool-scarf, 2 m_long", ["Wool", "scarf", "2", "m", "long"]),
        ("café: au lait", ["café", "au", "lait"]),
        # Vowel signs, and a virama.
        ("महिला कुर्ती लाल", ["महिला", "कुर्ती", "लाल"]),
        ("!? …", []),
    ],
)
def test_words_are_whole_in_every_script(text, words):
    assert WORD.findall(text) == words
