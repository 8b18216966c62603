import pytest

from pipeline.catalog.settings import OWN_COLUMNS, CatalogSettings, SplitSettings
from pipeline.core.errors import InputError
from pipeline.core.params import load_section
from pipeline.index.catalog_index import SEARCHED, SHOWN
from pipeline.index.changes import OWN
from pipeline.stores.evaluated import PREDICTED
from pipeline.stores.parquet_file import FROM_INDEX
from pipeline.stores.rows import TEXTS
from pipeline.stores.store import CLASS_NODES


def test_kept_columns_are_named_once_and_unlike_our_own(params_with):
    for names, message in [
        ("[brand, price, brand]", "'brand' is there twice"),
        ("[brand, vector]", "'vector' is what a column of our own is called"),
        ("[brand, __base]", "'__base' is what a column of our own is called"),
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


def test_no_column_of_ours_is_free_for_what_is_kept():
    ours = {*OWN, *SHOWN, *SEARCHED, *TEXTS, *FROM_INDEX, *PREDICTED, CLASS_NODES, "modality"}
    assert ours <= set(OWN_COLUMNS)


@pytest.mark.parametrize(
    ("key", "name", "message"),
    [
        ("classes", "text", "text and classes both name the column 'text'; name another for one"),
        ("image", "text", "image and text both name the column 'text'"),
        ("id", "group", "group and id both name the column 'group'.*, or set id to null"),
    ],
)
def test_a_column_has_one_role(params_with, key, name, message):
    path = params_with(f"catalog.columns.{key}", name)
    with pytest.raises(InputError, match=f"catalog.columns: {message}") as caught:
        load_section(path, "catalog", CatalogSettings)
    assert "\n" not in str(caught.value)


def test_what_has_a_role_can_be_kept_as_well(params_with):
    path = params_with("catalog.columns.keep", "[group]")
    assert load_section(path, "catalog", CatalogSettings).columns.keep == ["group"]


def test_something_must_be_left_to_train_on(params_with):
    for test in ("0.85", "0.9"):
        with pytest.raises(InputError, match=r"val \+ test must be below 1"):
            load_section(params_with("split.test", test), "split", SplitSettings)
    assert load_section(params_with("split.test", "0.8"), "split", SplitSettings).test == 0.8
