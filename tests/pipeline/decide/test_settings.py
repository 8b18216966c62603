import pytest

from pipeline.core.errors import InputError
from pipeline.core.params import check_section
from pipeline.decide.settings import ClassifySettings

GOOD = {"precision": 0.95, "confidence": 0.9, "decide": "hf_beta", "beta": 2}


def check(**changes):
    return check_section("params.yaml", "classify", ClassifySettings, {"classify": GOOD | changes})


def test_good_values_are_taken():
    assert check().model_dump() == GOOD


@pytest.mark.parametrize(
    ("key", "value"),
    [("precision", 1), ("precision", 0), ("confidence", 1.0), ("decide", "best"), ("beta", 0)],
)
def test_impossible_values_are_one_line(key, value):
    with pytest.raises(InputError, match=rf"^params.yaml: classify.{key}: got {value!r}; [^\n]+$"):
        check(**{key: value})
