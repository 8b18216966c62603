import random

import pytest
from open_clip.tokenizer import HFTokenizer, SimpleTokenizer

from pipeline.encoders.clip_tokenizer import fast_tokenizer
from pipeline.encoders.text_cleaners import CLEANERS

PIECES = [
    *(
        "<start_of_text>",
        "<end_of_text>",
        "<START_of_text>",
        "<\u017ftart_of_text>",
        "<end_of",
        "_",
    ),
    *("<", ">", "'s", "'\u017f", "'LL", "don't", "I've", "&amp;", "&amp;lt;", "&eacute;", "&#233;"),
    *(
        "Ã©",
        "â€™",
        "“",
        "”",
        "é",
        "e\u0301",
        "ß",
        "SS",
        "İ",
        "\u0131",
        "ǅ",
        "ﬁ",
        "ﬅ",
        "\u212a",
        "Å",
    ),
    *("猫", "ねこ", "ก", "\u0345", "😀", "👩\u200d👧", "🇩🇪", "\ufeff", "\u00ad", "\x00", "\x7f"),
    *("²", "½", "Ⅷ", "٣", "123", "4", "a", "hat", "RED", "supercalifragilistic", "aaaaaaa", "abab"),
    *(
        "!!!",
        "...",
        "$5.99",
        "#tag",
        "\t",
        "\n",
        "\x1c",
        "\x85",
        "\u3000",
        "\u180e",
        " ",
        "  ",
        "-",
    ),
    *("jekyll", "</w>", "Ġ"),
]


def encode(fast, text):
    clean = CLEANERS[fast.clean](text)
    return fast.tokenizer.encode(clean.lower() if fast.lower else clean).ids


@pytest.fixture(scope="module")
def clip():
    tokenizer = SimpleTokenizer()
    return tokenizer, fast_tokenizer(tokenizer)


def test_odd_texts_get_the_tokens_of_the_library(clip):
    library, fast = clip
    generator = random.Random(0)
    for number in range(5000):
        size = generator.randrange(1, 150 if number % 10 == 0 else 12)
        text = "".join(
            generator.choice(PIECES) + " " * (generator.random() < 0.3) for _ in range(size)
        )
        assert encode(fast, text) == library(text)[0].tolist(), ascii(text)


def test_any_sign_of_unicode_may_come(clip):
    library, fast = clip
    signs = [chr(n) for n in range(0x110000) if not 0xD800 <= n < 0xE000]
    generator = random.Random(0)
    # All of those that are common, and a sample of the others.
    for sign in [*signs[:0x3400], *generator.sample(signs, 5000)]:
        text = f"a{sign}1 {sign} '{sign}b!{sign}"
        assert encode(fast, text) == library(text)[0].tolist(), ascii(text)


def test_a_long_text_is_cut_and_ends_as_the_librarys(clip):
    library, fast = clip
    for count in (74, 75, 76, 300):
        found = encode(fast, "hat " * count)
        assert found == library("hat " * count)[0].tolist()
        assert len(found) == 77


@pytest.mark.parametrize("strip", [False, True])
@pytest.mark.parametrize("clean", ["whitespace", "lower", "canonicalize"])
def test_tokenizers_of_transformers_are_taken_over(bert, clean, strip):
    tokenizer = HFTokenizer(str(bert), context_length=8, clean=clean, strip_sep_token=strip)
    fast = fast_tokenizer(tokenizer)
    assert fast.stripped == (3 if strip else None)
    for text in ["Red  SHIRT &amp; hat", "wool " * 20, "", "blue_hat!"]:
        expected = tokenizer(text)[0].tolist()
        assert [0 if n == fast.stripped else n for n in encode(fast, text)] == expected


def test_tokenizers_that_do_more_are_left_to_the_library(bert):
    for tokenizer in (
        SimpleTokenizer(reduction_mask="simple"),
        SimpleTokenizer(clean="whitespace"),
        HFTokenizer(str(bert), tokenizer_mode="clips"),
    ):
        with pytest.raises(ValueError, match=r"^(words are dropped, or case is kept|mode clips)$"):
            fast_tokenizer(tokenizer)
