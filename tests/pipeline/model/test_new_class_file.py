import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.model.new_class import NewClassRule
from pipeline.model.new_class_file import FILE, read_new_class_rule, write_new_class_rule


@pytest.fixture
def rule():
    generator = np.random.default_rng(0)
    mean_KD = generator.random((5, 3), dtype=np.float32)
    return NewClassRule(mean_KD, mean_KD[::-1].copy(), mean_KD + 1, generator.random((3, 4, 4)))


def test_what_is_written_comes_back(tmp_path, rule):
    write_new_class_rule(tmp_path, rule, "a" * 64)
    for one, other in zip(read_new_class_rule(tmp_path, "a" * 64), rule, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_a_model_of_an_earlier_version_is_told(tmp_path):
    with pytest.raises(InputError, match=f"{FILE}: not found, so no class can be added; train"):
        read_new_class_rule(tmp_path, "a" * 64)


def test_another_models_is_refused(tmp_path, rule):
    write_new_class_rule(tmp_path, rule, "a" * 64)
    with pytest.raises(InputError, match=f"{FILE}: of another model.*train again"):
        read_new_class_rule(tmp_path, "b" * 64)


def test_a_damaged_file_is_one_line(tmp_path, rule):
    write_new_class_rule(tmp_path, rule, "a" * 64)
    content = (tmp_path / FILE).read_bytes()
    for damage in (b"", content[:50], content[:-9]):
        (tmp_path / FILE).write_bytes(damage)
        with pytest.raises(InputError, match=r"damaged model \([^\n]*\); train again"):
            read_new_class_rule(tmp_path, "a" * 64)
