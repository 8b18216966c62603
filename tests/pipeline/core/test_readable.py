import unicodedata

import pytest

from pipeline.core.readable import INVISIBLE, MARKUP, SPLIT, make_readable

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
ENGLAND = "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in "gbeng") + "\U000e007f"

# Two words' parts, with a joiner between them that makes no letter.
PERSIAN = "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Red <b>dress</b>", "Red dress"),
        ("<p>Cotton</p><ul><li>Blue</li>\n<li>Size&nbsp;42</li></ul>", "Cotton Blue Size 42"),
        ("Soft<BR/>and<br>warm", "Soft and warm"),
        ('<div class="a" style="x:y">Bag</div><!-- old -->', "Bag"),
        ("<style>p {color: red}</style><script>if (a<b) alert('<p>')</script>Hat", "Hat"),
        ("Dolce &amp; Gabbana &#8220;Sicily&#x201D;", "Dolce & Gabbana “Sicily”"),
        ("&lt;p&gt;Boots &amp;amp; shoes&lt;/p&gt;", "Boots & shoes"),
        ("<b>Red</b> hat, <S>, <a href='x'>more</a>", "Red hat, <S>, more"),
        ("<p>size <M>, 5 < 6 &lt;L&gt;</p>", "size <M>, 5 < 6 <L>"),
    ],
)
def test_markup_is_taken_out(written, read):
    assert make_readable(written) == (read, (MARKUP,))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "size <M>",
            "Größe <S> bis <XL>",
            "cup <A>, <B>",
            "a < b and c > d",
            "I <3 it",
            "AT&T",
            "R&D;",
            "black & white",
            "x&copy2020",
        ),
        *("clothing<dress<evening", "waist <b", "50 % off; 3 for 2", "two  blanks"),
        *(
            FAMILY,
            ENGLAND,
            "❤️ heart",
            "שמלה",
            "赤いドレス",
            "Größe 42",
            PERSIAN,
        ),
    ],
)
def test_a_text_without_noise_stays_as_written(text):
    assert make_readable(text) == (text, ())


def test_invisible_characters_are_taken_out():
    written = "\ufeffso\u00adft\u200b \u202bשמלה\u202c\x00\u200e"
    assert make_readable(written) == ("soft שמלה", (INVISIBLE,))


def test_letters_are_put_together():
    split = unicodedata.normalize("NFD", "Café crème 한글")
    assert make_readable(split) == ("Café crème 한글", (SPLIT,))
    # A compatible form is another character, which stays.
    assert make_readable("ﬁt ½ ²") == ("ﬁt ½ ²", ())


def test_all_kinds_at_once():
    assert make_readable("<b>e\u0301</b>\u200b").noise == (MARKUP, INVISIBLE, SPLIT)


def test_what_is_read_is_read_again_alike():
    for text in ("<p>a&amp;b", "e\u0301\u00ad", "&lt;b&gt;x", "size <M>"):
        once = make_readable(text).text
        assert make_readable(once) == (once, ())


def test_a_long_text_takes_no_time():
    """Tags that are never closed are looked for once, not once per character."""
    for text in (
        "<p " * 5000,
        "<!--" * 5000,
        "&#" * 9000,
        "<b>x</b>" * 5000,
        "<b>" * 5000,
        "a " * 5000,
    ):
        make_readable(text)
