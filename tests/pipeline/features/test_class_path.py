import pytest

from pipeline.core.errors import BadRowError
from pipeline.features.class_path import normalize_class_path


@pytest.mark.parametrize(
    ("written", "separator", "kept"),
    [
        ("a", "<", "a"),
        (" a < b  c<\td ", "<", "a<b c<d"),
        ("a > b>c", " > ", "a > b>c"),
        ("Home/Kitchen & Dining /x", "/", "Home/Kitchen & Dining/x"),
        ("Cafe\u0301<Tee", "<", "Café<Tee"),
    ],
)
def test_class_paths_have_one_spelling(written, separator, kept):
    assert normalize_class_path(written, separator) == kept


@pytest.mark.parametrize("written", ["a<", "<a", "a< <b", "<", ""])
def test_class_paths_with_an_empty_part_are_refused(written):
    with pytest.raises(BadRowError, match="empty"):
        normalize_class_path(written, "<")
