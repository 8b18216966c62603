import pandas as pd
import pytest

from pipeline.audit.named_class import find_named_classes

WATCHES = [(f"blue watch {n}", "accessories<watches") for n in range(60)]
BOXES = [(f"watch box {n}", "home<boxes") for n in range(60)]


def find(*rows):
    frame = pd.DataFrame(rows, columns=["text", "class_path"])
    frame["item_id"] = [f"i{n}" for n in range(len(rows))]
    return find_named_classes(frame, "<")


def test_a_title_that_names_another_class_is_found():
    found = find(*WATCHES, *BOXES, ("Steel Watches", "free gifts"))
    (row,) = found.itertuples(index=False)
    assert (row.item_id, row.class_path, row.named_path) == (
        "i120",
        "free gifts",
        "accessories<watches",
    )
    assert (row.share, row.titles) == (pytest.approx(60 / 61), 61)
    # Wilson, by hand: (60.9 + 1.92) / 64.84 -+ ...
    assert row.low == pytest.approx(0.9128, abs=1e-3)
    assert row.high == pytest.approx(0.9971, abs=1e-3)


def test_a_name_that_titles_of_other_classes_have_too_means_nothing():
    shoes = [(f"dress shoes {n} dress", "shoes") for n in range(20)]
    dresses = [(f"red dress {n}", "clothing<dresses") for n in range(60)]
    assert find(*shoes, *dresses).empty


def test_a_class_above_or_of_the_same_name_is_their_own():
    rows = [
        ("gift watch", "x<watches"),
        ("fine watch", "watches<fine"),
        ("big watch", "watches<big"),
    ]
    assert find(*WATCHES, *rows).empty


def test_few_titles_say_nothing():
    assert find(*WATCHES[:3], *BOXES[:3], ("steel watch", "free gifts")).empty


def test_names_of_several_words_and_other_spellings():
    rows = [(f"leather laptop bags {n}", "bags<Laptop Bag") for n in range(60)]
    totes = [(f"tote bag {n}", "bags<bag") for n in range(60)]
    found = find(*rows, *totes, ("black laptop bag", "hats"), ("T-shirt", "hats"))
    assert found["named_path"].tolist() == ["bags<Laptop Bag"]


def test_of_several_classes_of_one_name_the_largest_is_named():
    gifts = [(f"gift watch {n}", "gifts<watch") for n in range(5)]
    found = find(*WATCHES, *gifts, ("my watch", "hats"))
    assert found["named_path"].tolist() == ["accessories<watches"]


def test_titles_without_words():
    assert find(("", "a"), ("!!!", "b")).empty
