import pytest

from pipeline.core.errors import BadRowError
from pipeline.core.text import fold_accents, normalize_text, on_one_line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Red  Shirt", "Red  Shirt"),
        (" red\r\nshirt\tsilk\u2028new ", "red shirt silk new"),
        (" \n", ""),
    ],
)
def test_a_text_is_kept_as_written_but_on_one_line(text, expected):
    assert on_one_line(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Chloé", "Chloe"),
        ("aeydē", "aeyde"),
        # Two characters, e and a combining acute, as macOS writes file names.
        ("Cafe\u0301", "Cafe"),
        # Without a decomposition in Unicode: what people type for them.
        ("Søstrene Łódź Straße Æther œuvre Đorđe", "Sostrene Lodz Strasse Aether oeuvre Dorde"),
        ("\ufb01ne \uff26\uff55\uff4c\uff4c \uff12\uff10", "fine Full 20"),
        # Signs stay: BRANDTM would be another word.
        ("Brand™ \u201cred\u201d \u2013 5 €", "Brand™ \u201cred\u201d \u2013 5 €"),
        # Other scripts stay, marks included.
        ("ワンピース Москва Ελλάδα мой", "ワンピース Москва Ελλάδα мой"),
        ("plain ASCII 1", "plain ASCII 1"),
    ],
)
def test_fold_accents(text, expected):
    assert fold_accents(text) == expected


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Dolce & Gabbana,  'x'", "Dolce & Gabbana,  'x'"),
        ("\ttwo\r\nlines\u2028three\ttabs\n", "two lines three tabs"),
        ("NA", "NA"),
    ],
)
def test_texts_stay_as_written_on_one_line(written, kept):
    assert normalize_text(written) == kept


def test_half_a_character_is_refused():
    with pytest.raises(BadRowError, match="half a character"):
        normalize_text("cut \ud83d")
