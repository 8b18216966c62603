import pytest

from pipeline.catalog.settings import CatalogSettings, SplitSettings
from pipeline.core.errors import InputError
from pipeline.core.params import load_section


def test_kept_columns_are_named_once_and_unlike_our_own(params_with):
    for names, message in [
        ("[brand, price, brand]", "'brand' is there twice"),
        ("[brand, vector]", "'vector' is what a column of our own is called"),
        ("['']", "at least 1 character"),
    ]:
        with pytest.raises(InputError, match=f"catalog.columns.keep.*{message}"):
            load_section(params_with("catalog.columns.keep", names), "catalog", CatalogSettings)
    columns = load_section(
        params_with("catalog.columns.keep", "[brand]"), "catalog", CatalogSettings
    ).columns
    assert columns.keep == ["brand"]
    assert columns.roles() == {
        "image": "image",
        "text": "text",
        "classes": "classes",
        "group": "group",
    }


def test_something_must_be_left_to_train_on(params_with):
    for test in ("0.85", "0.9"):
        with pytest.raises(InputError, match=r"val \+ test must be below 1"):
            load_section(params_with("split.test", test), "split", SplitSettings)
    assert load_section(params_with("split.test", "0.8"), "split", SplitSettings).test == 0.8
