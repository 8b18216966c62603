import pytest
from pydantic import TypeAdapter, ValidationError

from pipeline.core.auto import AutoOrCount, AutoOrShare


@pytest.mark.parametrize("kind", [AutoOrCount, AutoOrShare])
def test_auto_is_none(kind):
    assert TypeAdapter(kind).validate_python("auto") is None


def test_numbers_stay_numbers():
    assert TypeAdapter(AutoOrCount).validate_python(7) == 7
    assert TypeAdapter(AutoOrShare).validate_python(0.5) == 0.5
    assert TypeAdapter(AutoOrShare).validate_python(0) == 0.0


@pytest.mark.parametrize(
    ("kind", "value"),
    [(AutoOrCount, value) for value in (0, 2.5, True, None, "7")]
    + [(AutoOrShare, value) for value in (1, -0.1, True, None, "half", float("nan"))],
)
def test_anything_else_is_told_what_is_expected(kind, value):
    with pytest.raises(ValidationError, match="auto or a"):
        TypeAdapter(kind).validate_python(value)
