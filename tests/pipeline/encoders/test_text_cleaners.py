import random

import open_clip.tokenizer
import pytest

from pipeline.encoders.text_cleaners import CLEANERS
from tests.fresh_process import modules_after

ODD = [
    *(" ", "  ", "\t", "\n", "\x1c", "\x85", "\u3000", "\u180e", "_", "-", ".", "'s", "&", ";"),
    *("&amp;", "&amp;lt;", "&eacute;", "&#233;", "<b>", "Ã©", "â€™", "“", "é", "e\u0301", "ß", "İ"),
    *("ﬁ", "猫", "😀", "\u200d", "\ufeff", "RED", "shirt", "\u017f", "\u212a", "\x00"),
]


@pytest.mark.parametrize(
    ("name", "librarys"),
    [
        ("open_clip", open_clip.tokenizer._clean_whitespace),
        ("open_clip_canonical", open_clip.tokenizer._clean_canonicalize),
    ],
)
def test_texts_are_cleaned_as_the_library_cleans_them(name, librarys):
    generator = random.Random(0)
    for _ in range(3000):
        text = "".join(generator.choices(ODD, k=generator.randrange(30)))
        assert CLEANERS[name](text) == librarys(text)


def test_others_strip_a_text_or_leave_it_alone():
    assert CLEANERS["strip"]("\n Red  shirt ") == "Red  shirt"
    assert CLEANERS["none"]("\n Red  shirt ") == "\n Red  shirt "


def test_torch_is_not_imported_for_it():
    code = """
from pipeline.encoders.text_cleaners import CLEANERS
for clean in CLEANERS.values():
    clean("a &amp; b")
"""
    assert not modules_after(code) & {"torch", "open_clip"}
