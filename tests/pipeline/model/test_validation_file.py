import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.model.description import MODALITIES
from pipeline.model.validation_file import (
    FILE,
    Said,
    Validation,
    read_validation,
    write_validation,
)


@pytest.fixture
def found():
    generator = np.random.default_rng(0)
    said = {
        name: Said(generator.random((7, 2), dtype=np.float32), generator.random((7, 2)) < 0.5)
        for name in MODALITIES
    }
    return Validation(said, np.array([5, 5, 1, 2, 3, 4, 4]))


def test_what_is_written_comes_back(tmp_path, found):
    write_validation(tmp_path, found, "a" * 64)
    again = read_validation(tmp_path, "a" * 64)
    assert again is not None
    np.testing.assert_array_equal(again.group_M, found.group_M)
    for name in MODALITIES:
        for one, other in zip(again.said[name], found.said[name], strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)


def test_a_model_of_an_earlier_version_has_none(tmp_path):
    assert read_validation(tmp_path, "a" * 64) is None


def test_another_models_is_refused(tmp_path, found):
    write_validation(tmp_path, found, "a" * 64)
    with pytest.raises(InputError, match=f"{FILE}: of another model.*train again"):
        read_validation(tmp_path, "b" * 64)


def test_a_damaged_file_is_one_line(tmp_path, found):
    write_validation(tmp_path, found, "a" * 64)
    content = (tmp_path / FILE).read_bytes()
    for damage in (b"", content[:50], content[:-9]):
        (tmp_path / FILE).write_bytes(damage)
        with pytest.raises(InputError, match=r"damaged model \([^\n]*\); train again"):
            read_validation(tmp_path, "a" * 64)
