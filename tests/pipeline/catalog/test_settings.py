import pytest

from pipeline.catalog.settings import SplitSettings
from pipeline.core.errors import InputError
from pipeline.core.params import load_section


def test_something_must_be_left_to_train_on(params_with):
    for test in ("0.85", "0.9"):
        with pytest.raises(InputError, match=r"val \+ test must be below 1"):
            load_section(params_with("split.test", test), "split", SplitSettings)
    assert load_section(params_with("split.test", "0.8"), "split", SplitSettings).test == 0.8
