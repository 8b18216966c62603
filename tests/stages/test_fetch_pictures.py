import pandas as pd
import pytest

from tests.pipeline.fetch.conftest import web  # noqa: F401 - a fixture


@pytest.fixture
def urls(shop, web):  # noqa: F811
    """A shop whose table has URLs in place of most pictures, two of them the same, one gone."""
    table = pd.read_csv(shop.root / "catalog.csv")
    table["image"] = [web.url(f"{n}.png") for n in range(len(table))]
    table.loc[1, "image"] = table.loc[0, "image"]
    table.loc[2, "image"] = web.url("gone")
    table.loc[3, "image"] = "3.png"
    table.to_excel(shop.root / "catalog.xlsx", index=False)
    shop.set({"catalog.path": "catalog.xlsx"})
    return table["image"]


def test_a_table_with_urls_becomes_one_with_names(shop, urls, web):  # noqa: F811
    before = shop.huse("catalog")
    assert "15 rows name their picture by a URL; huse fetch_pictures downloads" in before.stderr
    result = shop.huse("fetch-pictures", "--allow-private")
    assert result.exit_code == 0, result.output
    assert result.stdout == (
        "fetch_pictures: 14 of 15 rows with a URL now name a picture in pictures (13 pictures "
        "downloaded, 0 there before); 1 row rejected, see catalog_fetched_rejected.csv; set "
        "catalog.path to catalog_fetched.csv\n"
    )
    failed = pd.read_csv(shop.root / "catalog_fetched_rejected.csv")
    assert failed.to_numpy().tolist() == [[3, urls[2], "HTTP 404 Not Found"]]
    assert web.asked["0.png"] == 1
    shop.set({"catalog.path": "catalog_fetched.csv"})
    result = shop.huse("catalog")
    # What could not be had is an item by its text.
    assert "16 items in" in result.stdout
    assert "of 16 items 1 has no picture" in result.stderr
    again = shop.huse("fetch-pictures", "catalog.xlsx", "--allow-private", "--out", "again.csv")
    assert "(no pictures downloaded, 13 there before)" in again.stdout
    assert (shop.root / "again.csv").read_bytes() == (
        shop.root / "catalog_fetched.csv"
    ).read_bytes()


def test_another_table_may_have_other_delimiters_than_the_catalogue(shop, urls, web):  # noqa: F811
    shop.set({"catalog.delimiter": ","})
    table = pd.DataFrame({"image": [web.url("new.png")], "text": ["new"]})
    table.to_csv(shop.root / "new.csv", sep=";", index=False)
    result = shop.huse("fetch-pictures", "new.csv", "--allow-private")
    assert "1 of 1 row with a URL" in result.stdout, result.output
    assert (shop.root / "new_fetched.csv").read_text().splitlines()[0] == "image;text"


def test_a_private_network_is_asked_only_if_allowed(shop, urls, web):  # noqa: F811
    message = shop.refuse("fetch-pictures")
    assert message.startswith("fetch_pictures: no picture could be had; the reasons are in catalog")
    reasons = pd.read_csv(shop.root / "catalog_fetched_rejected.csv")["reason"]
    assert reasons.str.endswith(
        "is in a private network (127.0.0.1), which only --allow-private asks"
    ).all()
    assert not web.asked


def test_a_table_without_urls_and_a_place_that_is_no_folder_are_told(shop, urls):
    message = shop.refuse("fetch-pictures", "catalog.csv")
    assert message == "--column: no URL in column 'image' of catalog.csv"
    message = shop.refuse("fetch-pictures", "--column", "Bild")
    assert message.startswith("--column: no column 'Bild' in catalog.xlsx; it has image, text")
    message = shop.refuse("fetch-pictures", "--images", "s3://bucket/x?region=eu-west-1")
    assert "pictures are downloaded to a folder of this machine" in message
