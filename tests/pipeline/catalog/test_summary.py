import pandas as pd

from pipeline.catalog.summary import count_noise, describe, describe_noise, summarise

TEXTS = ["a red dress for the summer in the city", "<b>Bag</b>", "Bag", "Hat e\u0301", "", "Hat"]


def make():
    items = pd.DataFrame(
        {
            "text": ["a red dress for the summer in the city", "Bag", "Bag", ""],
            "class_path": ["dress", "bags<totes", "bags<totes", "bags<totes<large"],
        },
        dtype="str",
    )
    items["plain_text"] = items["text"].str.lower()
    pictures = pd.DataFrame({"item_id": [*"abbcd"], "digest": [*"11423"]}, dtype="str")
    rejected = pd.DataFrame({"reason": ["duplicate of row 3", "image not found"]}, dtype="str")
    placeholders = pd.DataFrame({"kind": ["text", "picture", "picture"]}, dtype="str")
    table = pd.DataFrame({"text": TEXTS}, dtype="str")
    return summarise(table, items, pictures, rejected, placeholders, [0, 1, 1, 2], "<")


def test_what_there_is_is_counted():
    assert make() == {
        "rows": 6,
        "rejected": {"rows": 2, "duplicates": 1},
        "items": 4,
        "classes": {
            "number": 3,
            "least_depth": 1,
            "most_depth": 3,
            "largest": "bags<totes",
            "share_of_largest": 0.5,
            "with_one_item": 2,
        },
        "texts": {
            "missing": 0.25,
            "shared": 0.5,
            "placeholders": 1,
            "median_words": 1.0,
            "most_words": 9,
            "cleaned": {"markup": 1, "split letters": 1},
            "languages": {"en": 1},
        },
        "pictures": {"missing": 0.0, "shared": 0.5, "several": 0.25, "placeholders": 2},
        "largest_group": 2,
    }


def test_a_summary_is_a_line_per_subject():
    lines = dict(describe(make()))
    assert list(lines) == [*("rows", "classes", "texts", "languages", "pictures", "largest group")]
    assert lines["rows"] == "6, 2 rejected, 1 of them as a duplicate"
    assert "3, 1 to 3 deep, 2 with one item" in lines["classes"]
    assert "25% of the items have none, 50% share one, 1 placeholder" in lines["texts"]
    assert lines["pictures"].endswith("50% share one, 2 placeholders, 25% have several")
    assert lines["languages"] == "en 100% of 1 text long enough to tell"
    summary = make()
    summary["rejected"] = {"rows": 0, "duplicates": 0}
    summary["largest_group"] = 1
    assert dict(describe(summary))["rows"] == "6, none rejected"
    assert dict(describe(summary))["largest group"] == "1 item since none are kept together"
    summary["texts"]["languages"] = {"en": 950, "de": 45, "mg": 5}
    said = "en 95%, de 4% of 1000 texts long enough to tell"
    assert dict(describe(summary))["languages"] == said


def test_noise_is_one_line_or_none():
    texts = pd.Series(TEXTS, dtype="str")
    assert count_noise(texts) == {"markup": 1, "split letters": 1}
    assert describe_noise(texts) == (
        "catalog.columns.text: of 6 texts what nobody sees is not read: "
        "markup in 1, split letters in 1"
    )
    assert describe_noise(texts.iloc[[0, 2]]) is None
