import pandas as pd
import pytest
from PIL import Image


def test_the_sample_is_a_catalogue_with_pictures(shop):
    result = shop.huse("sample_catalog", "--limit", "20")
    assert result.exit_code == 0, result.output
    folder = shop.root / "data" / "raw" / "openmoji"
    table = pd.read_csv(folder / "catalog.csv")
    assert list(table) == ["image", "text", "classes", "group"]
    assert 15 <= len(table) <= 25
    assert result.stdout == f"sample catalogue: {len(table)} items in data/raw/openmoji\n"
    assert sorted(table["image"]) == sorted(path.name for path in (folder / "images").iterdir())
    for name in table["image"]:
        with Image.open(folder / "images" / name) as picture:
            assert picture.size == (224, 224)


@pytest.mark.parametrize("name", ["sample-catalog", "sample_catalog"])
def test_both_spellings_of_the_command_work(shop, name):
    assert shop.huse(name, "--limit", "5", "--out", "mine").exit_code == 0
    assert (shop.root / "mine" / "catalog.csv").is_file()


def test_a_second_sample_replaces_the_first(shop):
    shop.huse("sample_catalog", "--limit", "20", "--out", "mine")
    shop.huse("sample_catalog", "--limit", "5", "--out", "mine")
    table = pd.read_csv(shop.root / "mine" / "catalog.csv")
    assert len(list((shop.root / "mine" / "images").iterdir())) == len(table) < 10


def test_a_folder_with_something_else_in_it_is_left_alone(shop):
    message = shop.refuse("sample_catalog", "--limit", "5", "--out", "pictures")
    assert message.startswith("pictures: exists and is not a sample catalogue")
    assert len(list((shop.root / "pictures").iterdir())) == 16
