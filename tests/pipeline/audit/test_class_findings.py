import pytest

from pipeline.audit.class_findings import KINDS, find_in_tree, plain_name


def find(counts, kind=None):
    """Findings as (kind, path, other, items, other items); `counts` by path."""
    paths = [tuple(path.split("<")) for path, count in counts.items() for _ in range(count)]
    return [
        (one.kind, "<".join(one.path), "<".join(one.other or ()), one.items, one.other_items)
        for one in find_in_tree(paths)
        if kind in (None, one.kind)
    ]


def test_a_tree_without_oddities():
    assert find({"shoes<boots": 5, "shoes<sandals": 3, "bags<totes": 4, "bags<clutches": 9}) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("T-Shirts", "tshirt"),
        ("Ties & Cufflinks", "ties and cufflinks"),
        ("Café Tables", "cafe table"),
        ("Boxes", "box"),
        ("Accessories", "accessory"),
        ("Dresses", "dress"),
    ],
)
def test_case_accents_signs_and_plurals_are_spelling(one, other):
    assert plain_name(one) == plain_name(other)
    found = find({f"a<{one}": 5, f"a<{other}": 7, "b<c": 3, "b<d": 3})
    assert found == [("spelling", f"a<{one}", f"a<{other}", 5, 7)]


@pytest.mark.parametrize("name", ["sunglases", "sunglassess", "sunglosses", "sunnglasses"])
def test_one_letter_is_a_slip_where_few_items_have_it(name):
    others = {"a<hats": 5, "b<c": 3, "b<d": 3}
    (found,) = find({"a<sunglasses": 100, f"a<{name}": 3, **others}, "spelling")
    assert found == ("spelling", f"a<{name}", "a<sunglasses", 3, 100)
    assert find({"a<sunglasses": 100, f"a<{name}": 60, **others}, "spelling") == []


@pytest.mark.parametrize("names", [("hats", "mats"), ("size 38", "size 39"), ("boots", "bags")])
def test_other_words_and_numbers_are_no_slips(names):
    assert find({**{f"a<{name}": 1000 // 99**n for n, name in enumerate(names)}}, "spelling") == []


def test_spellings_under_unlike_classes_are_the_same_name_in_two_places():
    found = find({"bags<belts": 3, "accessories<Belt": 9, "accessories<hats": 2, "bags<totes": 3})
    assert found == [("same_name", "bags<belts", "accessories<Belt", 3, 9)]


def test_the_same_name_in_three_places_goes_with_the_largest():
    counts = {"a<x": 2, "b<x": 9, "c<x": 4, "a<y": 2, "b<z": 2, "c<w": 2}
    assert find(counts) == [("same_name", "c<x", "b<x", 4, 9), ("same_name", "a<x", "b<x", 2, 9)]


def test_a_class_that_is_one_with_its_only_subclass():
    assert find({"a<watches<watches": 4, "b<c": 3, "b<d": 3}) == [
        ("only_child", "a", "a<watches", 4, 4),
        ("only_child", "a<watches", "a<watches<watches", 4, 4),
    ]


def test_items_above_subclasses():
    found = find({"a": 2, "a<b": 5, "a<c": 5, "d<e": 3, "d<f": 3})
    assert found == [("inner_items", "a", "", 2, 0)]
    # Its own items set it apart from its only subclass.
    assert find({"a": 2, "a<b": 5}) == [("inner_items", "a", "", 2, 0)]


def test_classes_of_one_item():
    found = find({"a<b": 1, "a<c": 5, "d<e": 1, "d<f": 3})
    assert found == [("one_item", "a<b", "", 1, 0), ("one_item", "d<e", "", 1, 0)]


def test_findings_come_by_kind_and_of_many_items_first():
    counts = {"a": 1, "a<b": 5, "c": 2, "c<d": 5, "e<one": 1, "e<ones": 1}
    found = find(counts)
    kinds = [one[0] for one in found]
    assert kinds == ["spelling", "inner_items", "inner_items", "one_item", "one_item"]
    assert [one[1] for one in found[1:3]] == ["c", "a"]
    assert list(dict.fromkeys(kinds)) == [kind for kind in KINDS if kind in kinds]


def test_a_class_without_a_usable_row_is_found():
    used = [("a", "b"), ("a", "c"), ("d",), ("d",)]
    rejected = [("e", "f"), ("a", "b"), ("e", "f"), ("a",)]
    found = [one for one in find_in_tree(used, rejected) if one.kind == "no_items"]
    assert [(one.path, one.items) for one in found] == [(("e", "f"), 2)]
