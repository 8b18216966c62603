import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.model.arrays_file import read_arrays, write_arrays

ARRAYS = {"one": np.arange(6.0).reshape(2, 3), "two": np.array([1, 0], np.uint8)}


@pytest.fixture
def path(tmp_path):
    write_arrays(tmp_path / "x.safetensors", ARRAYS, "a" * 64)
    return tmp_path / "x.safetensors"


def test_what_is_written_comes_back(path):
    found = read_arrays(path, "a" * 64, ("two", "one"))
    assert list(found) == ["two", "one"]
    for name, array in found.items():
        assert array.dtype == ARRAYS[name].dtype
        np.testing.assert_array_equal(array, ARRAYS[name])


def test_a_model_of_an_earlier_version_has_none(tmp_path):
    assert read_arrays(tmp_path / "y.safetensors", "a" * 64, ("one",)) is None


@pytest.mark.parametrize(
    ("digest", "names", "said"),
    [
        ("b" * 64, ("one",), "x.safetensors: of another model.*train again"),
        ("a" * 64, ("three",), r"damaged model \([^\n]*\); train again"),
    ],
)
def test_what_does_not_belong_is_one_line(path, digest, names, said):
    with pytest.raises(InputError, match=said):
        read_arrays(path, digest, names)
